import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { BkpError } from '../../../src/errors.ts';
import { testContext } from '../../test-context.ts';
import { countArchive, file, fixChecksum, folder, link, makeArchive, symlink } from './archives.ts';
import { artifactOf, restore } from './snapshots.ts';
import { listTree } from './tree-listing.ts';

const CASES = 3000;
/** Each restore starts programs: as many as fit into a test run. */
const MOST_RESTORES = 120;

function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const NAMES = [
  '../up',
  '/abs',
  'd/../../up',
  's/x',
  's',
  'd',
  '.',
  '..',
  '',
  'd/one',
  './d//one',
  'd\0/../up',
  'l/x',
  '\xff\xfe',
  'd/s/x',
];
const TYPES = ['0', '1', '2', '3', '4', '5', '6', '7', 'x', 'g', 'L', 'K', 'S', 'M', 'V', 'D', 'N', 'A', '\0'];

type Random = (below: number) => number;

/** Changes one thing in an archive, mostly such that its checksums still hold. */
function mutate(original: Buffer, random: Random): Buffer {
  let archive = Buffer.from(original);
  if (archive.length < 1024) return archive;
  const block = random(Math.floor(archive.length / 512)) * 512;
  const pick = <T>(list: readonly T[]): T => list[random(list.length)] as T;
  const field = (at: number, length: number, text: string): void => {
    archive.fill(0, block + at, block + at + length);
    archive.write(text.slice(0, length), block + at, 'latin1');
  };
  switch (random(12)) {
    case 0:
      return archive.subarray(0, random(archive.length));
    case 1:
      archive[random(archive.length)] = random(256);
      return archive;
    case 2:
      field(0, 100, pick(NAMES));
      break;
    case 3:
      field(157, 100, pick([...NAMES, '/etc/passwd', '../../..']));
      break;
    case 4:
      field(156, 1, pick(TYPES));
      break;
    case 5:
      field(
        124,
        12,
        pick(['00000000000', '00000001000', '77777777777', '-1', '9', '\x80\xff\xff\xff\xff\xff\xff\xff', '\xff\xff']),
      );
      break;
    case 6:
      field(pick([100, 108, 116, 136, 329, 337]), 8, pick(['7777777', 'abc', '\x80\0\0\0\0\0\x01', '', '        ']));
      break;
    case 7: {
      const other = random(Math.floor(archive.length / 512)) * 512;
      archive.copyWithin(block, other, other + 512);
      return archive;
    }
    case 8: {
      const other = random(Math.floor(archive.length / 512)) * 512;
      archive = Buffer.concat([
        archive.subarray(0, block),
        original.subarray(other, other + 512),
        archive.subarray(block),
      ]);
      return archive;
    }
    case 9:
      return Buffer.concat([archive.subarray(0, block), archive.subarray(block + 512)]);
    case 10: {
      const text = archive.indexOf(pick(['path=', 'GNU.sparse', 'mtime=', 'SCHILY', 'linkpath=']), 0, 'latin1');
      if (text >= 0) archive.write(pick(['9', '=', '\n', '../', '/', '0', ' ', '\0']), text + random(12), 'latin1');
      return archive;
    }
    default:
      field(345, 155, pick(['..', '/', 'd', 's', 'x'.repeat(155)]));
  }
  return block + 512 <= archive.length ? fixChecksum(archive, block) : archive;
}

async function seeds(): Promise<readonly Buffer[]> {
  const map = '2\n0\n512\n8192\n3\n'.padEnd(512, '\0');
  const runs = 'r'.repeat(515);
  const inData = {
    'GNU.sparse.major': '1',
    'GNU.sparse.minor': '0',
    'GNU.sparse.name': 'd/holes',
    'GNU.sparse.realsize': '8195',
  };
  const inHeader = { 'GNU.sparse.size': '2099', 'GNU.sparse.numblocks': '3', 'GNU.sparse.map': '0,512,1024,3,2099,0' };
  const attributes = { mtime: '1.5', 'SCHILY.xattr.user.a': 'b' };
  return Promise.all([
    makeArchive(
      folder('d'),
      file('d/one', 'one'),
      symlink('s', '/tmp'),
      link('l', 'd/one'),
      folder('d/sub'),
      file('d/sub/two', 'x'.repeat(1500)),
    ),
    makeArchive(folder('d'), file('d/one', '12345', { pax: attributes }), symlink('d/s', '../../..')),
    makeArchive(folder('d'), file('x', map + runs, { pax: inData }), file(`d/${'n'.repeat(150)}`), {
      name: 'd/pipe',
      type: 'fifo',
    }),
    makeArchive(folder('d'), file('d/old', runs, { pax: inHeader }), file('é'.repeat(90))),
  ]);
}

test(`of ${CASES} mutated archives none crashes, none is written outside of the root`, async () => {
  const { context, folder: base } = await testContext();
  const room = join(base, 'room');
  mkdirSync(join(room, 'beside'), { recursive: true });
  writeFileSync(join(room, 'beside/untouched'), 'untouched');
  const before = listTree(room);
  const originals = await seeds();
  const random = createRandom(20_261_119);
  const accepted: Buffer[] = [];
  for (let index = 0; index < CASES; index++) {
    let archive = originals[index % originals.length] as Buffer;
    for (let count = 1 + random(3); count > 0; count--) archive = mutate(archive, random);
    try {
      await countArchive(archive);
      accepted.push(archive);
    } catch (error) {
      if (!(error instanceof BkpError) || error.code !== 'integrity') throw error;
    }
  }
  for (const original of originals) expect((await countArchive(original)).facts.entries).toBeGreaterThan(2);
  expect(accepted.length).toBeGreaterThan(200);
  expect(accepted.length).toBeLessThan(CASES / 2);

  const step = Math.ceil(accepted.length / MOST_RESTORES);
  let restored = 0;
  for (let index = 0; index < accepted.length; index += step) {
    const path = join(base, 'mutated.tar');
    writeFileSync(path, accepted[index] as Buffer);
    const root = join(base, `root-${index}`);
    const mode = (['new', 'replace', 'merge'] as const)[index % 3] ?? 'new';
    try {
      await restore({ mode, artifact: artifactOf(path, context), destination: { paths: ['/d'], root } }, context);
      restored++;
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'BkpError') throw error;
      // What failed has left nothing.
      expect(listTree(base).some(({ name }) => name === `root-${index}`)).toBe(false);
    }
  }
  expect(restored).toBeGreaterThan(MOST_RESTORES / 3);
  expect(listTree(room)).toEqual(before);
});
