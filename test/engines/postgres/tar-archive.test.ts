import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openCustomInspector } from '../../../src/engines/postgres/archive/custom-archive.ts';
import { openDirectoryInspector, openTarInspector } from '../../../src/engines/postgres/archive/tar-archive.ts';
import { connectionOf, servicesToTry } from '../../services/connection.ts';
import { createDatabase, dropDatabase, psql } from '../../services/postgres-psql.ts';
import { feed, ODD_DATABASE, run, verdictOf } from './dump-fixture.ts';

const DATABASE = 'bkp tar archive';
const BLOCK = 512;

/** One file of a tar with its header and padding, as it stands there. */
interface Member {
  readonly name: string;
  readonly bytes: Buffer;
}

function membersOf(tar: Buffer): readonly Member[] {
  const members: Member[] = [];
  for (let at = 0; tar[at] !== 0;) {
    const name = tar.toString('latin1', at, tar.indexOf(0, at));
    const size = Number.parseInt(tar.toString('latin1', at + 124, at + 136), 8);
    const end = at + BLOCK + Math.ceil(size / BLOCK) * BLOCK;
    members.push({ name, bytes: tar.subarray(at, end) });
    at = end;
  }
  return members;
}

const tarOf = (members: readonly Member[]): Buffer =>
  Buffer.concat([...members.map(({ bytes }) => bytes), Buffer.alloc(2 * BLOCK)]);

/** Writes another size into a header, and a checksum that fits. */
function resized(member: Member, size: number): Member {
  const bytes = Buffer.from(member.bytes.subarray(0, BLOCK + Math.ceil(size / BLOCK) * BLOCK));
  bytes.write(`${size.toString(8).padStart(11, '0')}\0`, 124, 'latin1');
  bytes.fill(0x20, 148, 156);
  const sum = bytes.subarray(0, BLOCK).reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return { name: member.name, bytes };
}

describe.each(servicesToTry('postgres'))('%s', (service) => {
  const connection = connectionOf(service);
  let parent: string;
  let folder: string;
  let expected: unknown;

  beforeAll(() => {
    dropDatabase(connection, DATABASE);
    createDatabase(connection, DATABASE);
    psql(connection, DATABASE, ODD_DATABASE);
    parent = mkdtempSync(join(tmpdir(), 'bkp-test-'));
    folder = join(parent, 'dump');
    run(connection, 'pg_dump', '-Fd', '-Z0', '-j2', '-f', folder, '-d', DATABASE);
    expected = feed(openCustomInspector(), run(connection, 'pg_dump', '-Fc', '-Z0', '-d', DATABASE), 65_536).end();
  });
  afterAll(() => {
    dropDatabase(connection, DATABASE);
    rmSync(parent, { recursive: true, force: true });
  });

  describe.each(['tar', 'directory'] as const)('%s', (form) => {
    let archive: Buffer;
    let members: readonly Member[];
    const open = form === 'tar' ? openTarInspector : openDirectoryInspector;
    const read = (bytes: Buffer, pieceBytes: number = 64 * 1024) => feed(open(), bytes, pieceBytes).end();
    const reasonOf = (changed: readonly Member[]): string => {
      try {
        read(tarOf(changed));
        return 'whole';
      } catch (error) {
        return (error as Error).message.replace('cannot read the PostgreSQL archive: it is ', '');
      }
    };
    const without = (name: string): readonly Member[] => members.filter((member) => member.name !== name);
    const named = (pattern: RegExp): Member => {
      const found = members.find(({ name, bytes }) => pattern.test(name) && bytes.length > BLOCK);
      if (found === undefined) throw new Error(`no member like ${pattern}`);
      return found;
    };

    beforeAll(() => {
      if (form === 'tar') archive = run(connection, 'pg_dump', '-Ft', '-d', DATABASE);
      else {
        const others = readdirSync(folder).filter((name) => name !== 'toc.dat');
        archive = execFileSync('tar', ['-cf', '-', '-C', folder, 'toc.dat', ...others], { maxBuffer: 2 ** 28 });
      }
      members = membersOf(archive);
    });

    test.each([1, 7, 4096, 65_536])('counts what the custom format holds, in pieces of %i bytes', (pieceBytes) => {
      expect(read(archive, pieceBytes)).toEqual(expected);
    });

    test('is whole in any order of its data, with its table of contents first', () => {
      const [toc, ...others] = members;
      if (toc === undefined) throw new Error('no member');
      expect(read(tarOf([toc, ...others.toReversed()]))).toEqual(expected);
      expect(reasonOf([...others, toc])).toMatch(/^damaged, it begins with .*, not with toc\.dat$/);
    });

    test('refuses it cut at any place', () => {
      const end = tarOf(members).length;
      fc.assert(
        fc.property(fc.nat(end - 1), (bytes) => {
          expect(verdictOf(() => read(archive.subarray(0, bytes)))).toBe('integrity');
        }),
        { numRuns: 200 },
      );
      expect(verdictOf(() => read(archive.subarray(0, archive.length - 1)))).toBe('integrity');
    });

    test('refuses it without any one of its files', () => {
      for (const { name } of members) expect([name, reasonOf(without(name))]).not.toEqual([name, 'whole']);
      expect(reasonOf(without(named(/^\d+\.dat$/).name))).toMatch(/^damaged, the data of table .* are missing$/);
      expect(reasonOf(without(named(/^blob_\d+\.dat$/).name))).toMatch(/^damaged, large object \d+ is missing$/);
      expect(reasonOf(without(named(/^blobs/).name))).toMatch(/^damaged, the data of entry .* are missing$/);
      if (form === 'tar') expect(reasonOf(without('restore.sql'))).toBe('cut before restore.sql');
    });

    test('refuses a file that stands twice, or that nothing names', () => {
      for (const member of members) expect(reasonOf([...members, member])).toMatch(/^damaged, .* stands twice in it$/);
      const stranger = Buffer.from(named(/^blob_\d+\.dat$/).bytes);
      stranger.fill(0, 0, 100);
      stranger.write('9.dat', 'latin1');
      expect(reasonOf([...members, resized({ name: '9.dat', bytes: stranger }, 0)])).toBe(
        'damaged, 9.dat is no file of its table of contents',
      );
    });

    test('refuses names that lead out of the folder', () => {
      const rows = named(/^\d{4}\.dat$/).name;
      const hostile = Buffer.from(archive);
      hostile.write('../a.dat', hostile.indexOf(rows, BLOCK), 'latin1');
      expect(() => read(hostile)).toThrow(/damaged, its table of contents names no file$/);
    });

    test('refuses rows without their end mark', () => {
      const rows = named(/^\d+\.dat$/);
      const size = Number.parseInt(rows.bytes.toString('latin1', 124, 136), 8);
      for (const less of [0, 1, size - 5, size - 1]) {
        const cut = members.map((member) => (member === rows ? resized(member, less) : member));
        expect(reasonOf(cut)).toMatch(/^damaged, the data of table .* have no end mark$/);
      }
    });

    test('survives flipped bytes, which only the hash of the whole can find in rows', () => {
      const flipped = fc.array(fc.tuple(fc.nat(archive.length - 1), fc.integer({ min: 1, max: 255 })), {
        minLength: 1,
      });
      fc.assert(
        fc.property(flipped, fc.constantFrom(13, 4096, 65_536), (flips, pieceBytes) => {
          const damaged = Buffer.from(archive);
          for (const [at, bits] of flips) damaged[at] = (damaged[at] ?? 0) ^ bits;
          expect(['whole', 'integrity']).toContain(verdictOf(() => read(damaged, pieceBytes)));
        }),
        { numRuns: 300 },
      );
      const inRow = Buffer.from(archive);
      const at = inRow.indexOf('long long');
      inRow[at] = (inRow[at] ?? 0) ^ 1;
      expect(read(inRow)).toEqual(expected);
    });
  });
});
