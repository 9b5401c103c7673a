import { describe, expect, test } from 'vitest';
import type { Facts } from '../../../src/engines/engine.ts';
import { redis } from '../../../src/engines/redis.ts';
import { bytesOf, createCrc64, JONES } from '../../../src/engines/crc64.ts';
import { openDumpInspector } from '../../../src/engines/redis/rdb/dump-facts.ts';
import { unpackLzf } from '../../../src/engines/redis/rdb/lzf.ts';
import { testContext } from '../../test-context.ts';
import { targetOn } from '../redis-fixture.ts';
import { SNAPSHOT } from '../workbench.ts';
import { ask, askText } from './ask.ts';
import { key, length, makeDump, moduleName, stored, text } from './make-dump.ts';

function read(bytes: Buffer, pieceBytes: number = bytes.length): Facts {
  const inspector = openDumpInspector();
  const piece = Buffer.alloc(pieceBytes);
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    // The memory of a piece is used again, as the streams do.
    const size = bytes.copy(piece, 0, at, at + pieceBytes);
    inspector.push(piece.subarray(0, size));
  }
  return inspector.end();
}

const zeros = (count: number): Buffer => Buffer.alloc(count);
const id = zeros(16);
const stream = (version: 1 | 2 | 3): readonly Buffer[] => [
  length(1),
  text('sixteen bytes id'),
  text('listpack'),
  ...Array.from({ length: version === 1 ? 3 : 8 }, () => length(70)),
  length(1),
  text('group'),
  ...Array.from({ length: version === 1 ? 2 : 3 }, () => length(20_000)),
  length(1),
  id,
  zeros(8),
  length(1),
  length(1),
  text('consumer'),
  zeros(version === 3 ? 16 : 8),
  length(1),
  id,
];

const packed = Buffer.concat([Buffer.of(0xc3), length(5), length(12), Buffer.of(0, 0x61, 0xe0, 2, 0)]);

/** Every kind of value that there is, whoever wrote it. */
const KINDS: Readonly<Record<string, readonly Buffer[]>> = {
  string: [
    key(0, 'plain', text('value')),
    key(0, 'number', Buffer.of(0xc0, 5)),
    key(0, 'packed', packed),
    Buffer.concat([Buffer.of(0), packed, Buffer.of(0xc2, 1, 2, 3, 4)]),
  ],
  list: [
    key(1, 'old list', length(2), text('a'), Buffer.of(0xc1, 1, 2)),
    key(10, 'ziplist', text('bytes')),
    key(14, 'quicklist', length(1), text('bytes')),
    key(18, 'quicklist 2', length(1), length(2), text('bytes')),
  ],
  set: [key(2, 'set', length(1), text('a')), key(11, 'intset', text('bytes')), key(20, 'listpack', text('bytes'))],
  zset: [
    key(3, 'old zset', length(3), text('a'), text('1.5'), text('b'), Buffer.of(254), text('c'), Buffer.of(253)),
    key(5, 'zset', length(1), text('a'), zeros(8)),
    key(12, 'ziplist', text('bytes')),
    key(17, 'listpack', text('bytes')),
  ],
  hash: [
    key(4, 'hash', length(1), text('a'), text('b')),
    key(9, 'zipmap', text('bytes')),
    key(13, 'ziplist', text('bytes')),
    key(16, 'listpack', text('bytes')),
    key(22, 'fields that expire, before 7.4', length(1), length(99), text('a'), text('b')),
    key(23, 'the same, small', text('bytes')),
    key(24, 'fields that expire', zeros(8), length(1), length(99), text('a'), text('b')),
    key(25, 'the same, small', zeros(8), text('bytes')),
  ],
  stream: [key(15, 's1', ...stream(1)), key(19, 's2', ...stream(2)), key(21, 's3', ...stream(3))],
  'ReJSON-RL': [
    key(
      7,
      'document',
      moduleName('ReJSON-RL'),
      Buffer.of(2, 5, 1, 6, 5),
      text('{}'),
      Buffer.of(4),
      zeros(8),
      Buffer.of(3),
      zeros(4),
      Buffer.of(0),
    ),
  ],
};

const WHOLE = makeDump(
  'REDIS0012',
  Buffer.concat([Buffer.of(250), text('redis-ver'), text('7.4.0')]),
  Buffer.concat([Buffer.of(251), length(3), length(1)]),
  Buffer.concat([Buffer.of(244), length(1), length(2), length(3)]),
  Buffer.concat([
    Buffer.of(247),
    moduleName('ReJSON-RL'),
    length(2),
    length(1),
    Buffer.of(5),
    text('of all'),
    Buffer.of(0),
  ]),
  Buffer.concat([Buffer.of(245), text('#!lua name=one')]),
  Buffer.concat([Buffer.of(252), zeros(8)]),
  Buffer.concat([Buffer.of(248), length(100)]),
  ...Object.values(KINDS).flat(),
  Buffer.concat([Buffer.of(253), zeros(4), Buffer.of(249, 7), key(0, 'expires', text('x'))]),
  Buffer.concat([Buffer.of(254, 9), key(0, 'elsewhere', text('x'))]),
);

const EXPECTED = {
  keys: { 0: Object.values(KINDS).flat().length + 1, 9: 1 },
  expiring: { 0: 2 },
  types: { ...Object.fromEntries(Object.entries(KINDS).map(([type, keys]) => [type, keys.length])), string: 6 },
  libraries: 1,
};

describe('a dump', () => {
  test.each([1, 2, 3, 7, 8, 9, 10, 63, 1000])('is read whole in pieces of %i bytes', (bytes) => {
    expect(read(WHOLE, bytes)).toEqual(EXPECTED);
  });

  test('is refused wherever it is cut', () => {
    for (let bytes = 0; bytes < WHOLE.length; bytes += 1)
      expect(() => read(WHOLE.subarray(0, bytes), 50), `${bytes} bytes`).toThrow(/cannot read the dump/);
  });

  test('is refused with any bit flipped', () => {
    for (let at = 0; at < WHOLE.length; at += 1) {
      const bad = Buffer.from(WHOLE);
      bad[at] = (bad[at] ?? 0) ^ (1 << (at % 8));
      expect(() => read(bad, 50), `byte ${at}`).toThrow(/cannot read the dump/);
    }
  });

  test.each([
    ['its format 80 is newer', makeDump('VALKEY080', key(0, 'a', text('b')))],
    ['its format 13 is newer', makeDump('REDIS0013', key(0, 'a', text('b')))],
    ['its format 4 is older', makeDump('REDIS0004', key(0, 'a', text('b')))],
    ['does not begin as one', makeDump('PGDMP0011', key(0, 'a', text('b')))],
    ['a key of the unknown kind 99', makeDump('REDIS0011', key(99, 'a', text('b')))],
    ['the unknown part 243', makeDump('REDIS0011', Buffer.of(243, 1))],
    ['bytes follow its end', Buffer.concat([makeDump('REDIS0011'), Buffer.of(0)])],
    ['packed in an unknown way', makeDump('REDIS0011', key(0, 'a', Buffer.of(0xc7)))],
    [
      'a packed string is damaged',
      makeDump('REDIS0011', Buffer.concat([Buffer.of(0, 0xc3), length(2), length(9), Buffer.of(0xe0, 9)])),
    ],
  ])('that is none of ours is refused: %s', (reason, bytes) => {
    expect(() => read(bytes)).toThrow(reason);
  });

  test('without a checksum says so', () => {
    const bytes = Buffer.concat([WHOLE.subarray(0, -8), zeros(8)]);
    expect(read(bytes)).toEqual({ ...EXPECTED, checksum: 'none' });
  });

  test('is summed up as Redis does', () => {
    const crc = createCrc64(JONES);
    crc.update(Buffer.from('123456789'));
    expect(bytesOf(crc).toReversed()).toEqual(new Uint8Array(Buffer.from('e9c6d914c4b8d9ca', 'hex')));
    const bytes = Buffer.from(Array.from({ length: 1000 }, (_, index) => index % 251));
    const whole = createCrc64(JONES);
    whole.update(bytes);
    const parts = createCrc64(JONES);
    for (let at = 0; at < 1000; at += 13) parts.update(bytes, at, Math.min(1000, at + 13));
    expect(bytesOf(parts)).toEqual(bytesOf(whole));
  });

  test('has strings that reach into what they are about to be', () => {
    expect(unpackLzf(Buffer.of(0, 0x61, 0xe0, 2, 0), 12).toString()).toBe('a'.repeat(12));
    expect(() => unpackLzf(Buffer.of(0, 0x61, 0xe0, 2, 5), 12)).toThrow('damaged');
  });
});

describe('before anything is touched', () => {
  const restoreInto = async (target: ReturnType<typeof targetOn>, bytes: Buffer, mode: 'new' | 'replace' | 'merge') => {
    const { context } = await testContext();
    const request = {
      destination: target,
      artifacts: [stored(bytes)],
      paths: [],
      skipConflicts: false,
      noOwner: false,
    } as const;
    return redis.restore({ ...request, mode, expectedFacts: null, snapshot: SNAPSHOT }, context);
  };

  test.each(['new', 'replace', 'merge'] as const)(
    'a format that the server does not read is refused in mode %s',
    async (mode) => {
      const target = targetOn('redis-7.0');
      if (mode !== 'new') await ask(target, ['SET', 'own', 'x']);
      await expect(restoreInto(target, makeDump('REDIS0011', key(0, 'a', text('b'))), mode)).rejects.toMatchObject({
        code: 'target',
        message: expect.stringContaining('too old for format 11') as string,
      });
      expect(await askText(target, 'DBSIZE')).toBe(mode === 'new' ? '0' : '1');
      expect((await restoreInto(target, makeDump('REDIS0010', key(0, 'a', text('b'))), mode)).conflicts).toEqual([]);
      expect(await askText(target, 'GET', 'a')).toBe('b');
    },
  );

  test('values of modules that the server has not are refused', async () => {
    const target = targetOn('redis-7.0');
    const bytes = makeDump('REDIS0010', ...(KINDS['ReJSON-RL'] ?? []));
    await expect(restoreInto(target, bytes, 'new')).rejects.toMatchObject({
      message: expect.stringContaining('no module for ReJSON-RL') as string,
    });
    // A replica would end itself over it.
    await ask(target, ['SET', 'own', 'x']);
    const auxiliary = Buffer.concat([Buffer.of(247), moduleName('ReJSON-RL'), length(2), length(1), Buffer.of(0)]);
    for (const part of [auxiliary, ...(KINDS['ReJSON-RL'] ?? [])])
      await expect(restoreInto(target, makeDump('REDIS0010', part), 'replace')).rejects.toMatchObject({
        message: expect.stringContaining('ReJSON-RL') as string,
      });
    expect(await askText(target, 'GET', 'own')).toBe('x');
  });

  test('what the server itself finds wrong in a value is undone', async () => {
    const target = targetOn('redis-7.0');
    const bytes = makeDump('REDIS0010', key(0, 'good', text('x')), key(13, 'bad', text('no ziplist')));
    await expect(restoreInto(target, bytes, 'new')).rejects.toMatchObject({
      message: expect.stringContaining('"bad"') as string,
    });
    expect(await askText(target, 'DBSIZE')).toBe('0');
  });
});
