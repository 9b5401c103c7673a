import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  createCustomArchiveReader,
  openCustomInspector,
} from '../../../src/engines/postgres/archive/custom-archive.ts';
import { tellPositions } from '../../../src/engines/postgres/archive/tell-positions.ts';
import { tableKey } from '../../../src/engines/postgres/server/table-key.ts';
import { connectionOf, servicesToTry } from '../../services/connection.ts';
import { createDatabase, dropDatabase, psql } from '../../services/postgres-psql.ts';
import { testFolder } from '../../test-context.ts';
import { countRows, feed, ODD_DATABASE, ODD_SEQUENCES, run, runInto, verdictOf, wholeLengths } from './dump-fixture.ts';

const DATABASE = 'bkp custom archive';

/** The seven numbers of the time of the dump follow the compression, an int before version 1.15. */
function withoutTime(archive: Buffer): Buffer {
  const at = (archive[6] ?? 0) < 15 ? 16 : 12;
  return Buffer.from(archive).fill(0, at, at + 7 * 5);
}

const read = (bytes: Buffer, pieceBytes: number = 64 * 1024) => feed(openCustomInspector(), bytes, pieceBytes).end();

describe.each(servicesToTry('postgres'))('%s', (name) => {
  const connection = connectionOf(name);
  const dump = (...args: readonly string[]): Buffer => run(connection, 'pg_dump', '-Fc', ...args, '-d', DATABASE);
  let archive: Buffer;

  beforeAll(() => {
    dropDatabase(connection, DATABASE);
    createDatabase(connection, DATABASE);
    psql(connection, DATABASE, ODD_DATABASE);
    archive = dump('-Z0');
  });
  afterAll(() => dropDatabase(connection, DATABASE));

  test('counts what the server counts', () => {
    const counts = countRows(connection, DATABASE).map(([schema, table, rows]) => [tableKey(schema, table), rows]);
    expect(counts.length).toBeGreaterThan(14);
    expect(read(archive)).toEqual({ tables: Object.fromEntries(counts), largeObjects: 3, sequences: ODD_SEQUENCES });
    expect(counts).toContainEqual(['"größe".select', 2]);
  });

  test.each([1, 7, 4096])('finds the same in pieces of %i bytes', (pieceBytes) => {
    expect(read(archive, pieceBytes)).toEqual(read(archive));
  });

  test('reads the table of contents', () => {
    const reader = createCustomArchiveReader();
    reader.push(archive);
    const { header, entries } = reader.end();
    expect(header.database).toBe(DATABASE);
    expect(header.serverVersion).toMatch(new RegExp(`^${connection['version']}\\.`));
    expect(entries.find(({ desc, tag }) => desc === 'TABLE DATA' && tag === 'texts')).toMatchObject({
      hadDumper: true,
      section: 'data',
      namespace: 'public',
      owner: 'postgres',
      tablespace: null,
      isCopy: true,
      position: null,
    });
    expect(entries.find(({ desc, tag }) => desc === 'VIEW' && tag === 'seen')).toMatchObject({
      hadDumper: false,
      section: 'pre-data',
      tablespace: null,
    });
  });

  test('is whole at its last byte and nowhere before', () => {
    expect(wholeLengths(openCustomInspector(), archive)).toEqual([archive.length]);
  });

  test('refuses it cut at any place', () => {
    fc.assert(
      fc.property(fc.nat(archive.length - 1), (bytes) => {
        expect(verdictOf(() => read(archive.subarray(0, bytes)))).toBe('integrity');
      }),
      { numRuns: 200 },
    );
  });

  test('says where it is cut', () => {
    const whereIsRow = archive.indexOf('long long');
    expect(() => read(archive.subarray(0, whereIsRow))).toThrow(/: it is cut in the data of table public\.texts$/);
    expect(() => read(archive.subarray(0, 500))).toThrow(/: it is cut before the end of its table of contents$/);
    expect(() => read(Buffer.concat([archive, Buffer.from('\u0001')]))).toThrow(
      /: it is cut in what follows its data$/,
    );
    expect(() => read(Buffer.concat([archive, archive]))).toThrow(/: it is damaged, /);
  });

  test('survives flipped bytes', () => {
    const flipped = fc.array(fc.tuple(fc.nat(archive.length - 1), fc.integer({ min: 1, max: 255 })), { minLength: 1 });
    fc.assert(
      fc.property(flipped, fc.constantFrom(13, 4096, 65_536), (flips, pieceBytes) => {
        const damaged = Buffer.from(archive);
        for (const [at, bits] of flips) damaged[at] = (damaged[at] ?? 0) ^ bits;
        expect(['whole', 'integrity']).toContain(verdictOf(() => read(damaged, pieceBytes)));
      }),
      { numRuns: 500 },
    );
  });

  test('reads what was written to a file', async () => {
    const folder = await testFolder();
    const [named, redirected] = [join(folder, 'named'), join(folder, 'redirected')];
    run(connection, 'pg_dump', '-Fc', '-Z0', '-f', named, '-d', DATABASE);
    runInto(connection, redirected, 'pg_dump', '-Fc', '-Z0', '-d', DATABASE);
    const bytes = readFileSync(named);
    expect(read(bytes)).toEqual(read(archive));
    const more = readFileSync(redirected);
    expect(read(more, 7)).toEqual(read(archive));
    // From 17 on a second table of contents follows; without it the archive is whole, with a part of it it is not.
    expect(wholeLengths(openCustomInspector(), more)).toEqual([...new Set([bytes.length, more.length])]);
  });

  test('tells where the data are as pg_dump does that writes to a file', async () => {
    const folder = await testFolder();
    const [named, piped] = [join(folder, 'named'), join(folder, 'piped')];
    run(connection, 'pg_dump', '-Fc', '-Z0', '-f', named, '-d', DATABASE);
    writeFileSync(piped, archive);
    const reader = createCustomArchiveReader();
    reader.push(archive);
    await tellPositions(piped, reader.end());
    expect(withoutTime(readFileSync(piped))).toEqual(withoutTime(readFileSync(named)));
    expect(withoutTime(archive)).not.toEqual(withoutTime(readFileSync(named)));
    expect(read(readFileSync(piped))).toEqual(read(archive));
  });

  test('refuses data that stand elsewhere than they should', async () => {
    const path = join(await testFolder(), 'archive');
    run(connection, 'pg_dump', '-Fc', '-Z0', '-f', path, '-d', DATABASE);
    const bytes = readFileSync(path);
    const reader = createCustomArchiveReader();
    reader.push(bytes);
    const { position } = reader.end().entries.find(({ tag, desc }) => tag === 'texts' && desc === 'TABLE DATA') ?? {};
    const told = Buffer.alloc(8);
    told.writeBigUInt64LE(BigInt(position ?? 0));
    bytes[bytes.indexOf(told)] = ((position ?? 0) + 1) % 256;
    expect(() => read(bytes)).toThrow(/damaged, the data of table public\.texts stand at byte \d+, not at \d+$/);
  });

  test('lists no tables without data, and none whose rows are statements', () => {
    expect(read(dump('-Z0', '--schema-only'))).toEqual({ tables: {}, largeObjects: 0, sequences: {} });
    expect(read(dump('-Z0', '--inserts'))).toEqual({ tables: {}, largeObjects: 3, sequences: ODD_SEQUENCES });
    expect(read(dump('-Z0', '--table=parts_1', '--exclude-table-data=texts'))).toEqual({
      tables: { 'public.parts_1': 10 },
      largeObjects: 0,
      sequences: {},
    });
  });

  test('reads names in the encoding of the archive', () => {
    expect(read(dump('-Z0', '--encoding=LATIN1'))).toEqual(read(archive));
  });

  test('refuses what it cannot read', () => {
    expect(() => read(dump())).toThrow('cannot read the PostgreSQL archive: only uncompressed archives are read here');
    expect(() => read(run(connection, 'pg_dump', '-Ft', '-d', DATABASE))).toThrow(/: it does not begin with PGDMP$/);
    expect(() => read(run(connection, 'pg_dump', '-d', DATABASE))).toThrow(/: it does not begin with PGDMP$/);
    const newer = Buffer.from(archive);
    newer[6] = 17;
    expect(() => read(newer)).toThrow(/: its version is 1\.17$/);
    const directory = Buffer.from(archive);
    directory[10] = 3;
    expect(() => read(directory)).toThrow(/: its format is tar, not custom$/);
  });
});
