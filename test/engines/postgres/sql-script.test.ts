import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openCustomInspector } from '../../../src/engines/postgres/archive/custom-archive.ts';
import { openSqlInspector } from '../../../src/engines/postgres/archive/sql-script.ts';
import { connectionOf, servicesToTry } from '../../services/connection.ts';
import { createDatabase, dropDatabase, psql } from '../../services/postgres-psql.ts';
import { testFolder } from '../../test-context.ts';
import { feed, ODD_DATABASE, ODD_SEQUENCES, run, verdictOf, wholeLengths } from './dump-fixture.ts';

const DATABASE = 'bkp sql script';
const END = '--\n-- PostgreSQL database dump complete\n--\n\n';

const read = (bytes: Buffer, pieceBytes: number = 64 * 1024) => feed(openSqlInspector(), bytes, pieceBytes).end();

describe.each(servicesToTry('postgres'))('%s', (name) => {
  const connection = connectionOf(name);
  const dump = (...args: readonly string[]): Buffer => run(connection, 'pg_dump', ...args, '-d', DATABASE);
  let script: Buffer;
  let archive: Buffer;

  beforeAll(() => {
    dropDatabase(connection, DATABASE);
    createDatabase(connection, DATABASE);
    psql(
      connection,
      DATABASE,
      `${ODD_DATABASE}
       CREATE TABLE hashed (k int) PARTITION BY HASH (k);
       CREATE TABLE hashed_0 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 0);
       CREATE TABLE "Hashed; Type: 1" PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 1);
       INSERT INTO hashed SELECT generate_series(1, 100);`,
    );
    script = dump();
    archive = dump('-Fc', '-Z0');
  });
  afterAll(() => dropDatabase(connection, DATABASE));

  const factsOf = (bytes: Buffer) => feed(openCustomInspector(), bytes, 64 * 1024).end();

  test.each([1, 7, 64 * 1024])('counts what the archive holds, in pieces of %i bytes', (pieceBytes) => {
    expect(JSON.stringify(read(script, pieceBytes))).toBe(JSON.stringify(factsOf(archive)));
  });

  test.each([[['--create', '--clean', '--if-exists']], [['--verbose']], [['--load-via-partition-root']]])(
    'agrees with what pg_restore writes: %s',
    async (args) => {
      const path = join(await testFolder(), 'archive');
      writeFileSync(path, dump('-Fc', '-Z0', ...args.filter((arg) => arg.startsWith('--load'))));
      const restored = run(
        connection,
        'pg_restore',
        '-f',
        '-',
        ...args.filter((arg) => !arg.startsWith('--load')),
        path,
      );
      expect(read(restored)).toEqual(factsOf(archive));
      expect(read(dump(...args))).toEqual(factsOf(archive));
    },
  );

  test('reads names in the encoding of the script', () => {
    expect(read(dump('--encoding=LATIN1'))).toEqual(read(script));
  });

  test('takes rows that are statements for no rows', () => {
    expect(read(dump('--inserts'))).toEqual({ tables: {}, largeObjects: 3, sequences: ODD_SEQUENCES });
  });

  test('is whole at its last byte and nowhere before', () => {
    expect(wholeLengths(openSqlInspector(), script)).toEqual([script.length]);
  });

  test('refuses it cut at any place', () => {
    fc.assert(
      fc.property(fc.nat(script.length - 1), (bytes) => {
        expect(verdictOf(() => read(script.subarray(0, bytes)))).toBe('integrity');
      }),
      { numRuns: 200 },
    );
    expect(() => read(script.subarray(0, script.indexOf('long long')))).toThrow(/: it is cut in rows$/);
  });

  test('survives flipped bytes', () => {
    const flipped = fc.array(fc.tuple(fc.nat(script.length - 1), fc.integer({ min: 1, max: 255 })), { minLength: 1 });
    fc.assert(
      fc.property(flipped, fc.constantFrom(13, 65_536), (flips, pieceBytes) => {
        const damaged = Buffer.from(script);
        for (const [at, bits] of flips) damaged[at] = (damaged[at] ?? 0) ^ bits;
        expect(['whole', 'integrity']).toContain(verdictOf(() => read(damaged, pieceBytes)));
      }),
      { numRuns: 300 },
    );
  });
});

const COPY = 'COPY public.a (b) FROM stdin;\n1\n\\.\n';

test.each([
  ['nested comments', `/* /* */\n${COPY}*/\n`, {}],
  ['a comment in a line', `SELECT 1; -- it's\n${COPY}`, { 'public.a': 1 }],
  ['a parameter', `SELECT $1$ + $2;\n${COPY}`, { 'public.a': 1 }],
  ['a name with a dollar sign', `SELECT a$b$c;\n${COPY}`, { 'public.a': 1 }],
  ['a dollar quote in another', `SELECT $a$ $b$\n${COPY}$b$\n${COPY}$a$;\n`, {}],
  ['backslashes that escape', `SELECT E'\\'\n${COPY}\\\\', e'a''\\'\n${COPY}';\n`, {}],
  ['backslashes that do not', `SELECT 'a\\', type'\\', U&'\\';\n${COPY}`, { 'public.a': 1 }],
  ['an old setting', `SET standard_conforming_strings = off;\nSELECT '\\'\n${COPY}';\n`, {}],
  ['a quoted name', `SELECT 1 AS "it's ""\n${COPY}";\n`, {}],
  ['a statement that goes on', `SELECT 1\n${COPY}`, {}],
  ['a command of psql', `\\connect "it's"\n${COPY}`, { 'public.a': 1 }],
  ['odd names', `COPY "a.b"."c""d ""e" ("f) FROM stdin;") FROM stdin;\n\\.\n`, { '"a.b"."c""d ""e"': 0 }],
  ['a long statement', `SELECT '${'x'.repeat(9000)}', '\n${COPY}';\n${COPY}`, { 'public.a': 1 }],
  ['many columns', COPY.replace('(b)', `(${'column, '.repeat(9000)}b)`), { 'public.a': 1 }],
  ['two parts of one table', `${COPY}${COPY}`, { 'public.a': 2 }],
])('is not fooled by %s', (_name, sql, tables) => {
  for (const pieceBytes of [1, 2, 3, 5, 1000])
    expect(read(Buffer.from(`${sql}\n;\n${END}`), pieceBytes)).toEqual({ tables, largeObjects: 0, sequences: {} });
});

test.each([
  ['', /cut before its end mark$/],
  ['SELECT 1;\n', /cut before its end mark$/],
  [`SELECT '\n${END}`, /cut in a text$/],
  [`SELECT $$\n${END}`, /cut in a dollar quote$/],
  [END.slice(0, -1), /cut before its end mark$/],
  [`\\restrict abc\n${END}`, /cut before its end mark$/],
  [`\\restrict abc\n${END}\\unrestrict abd\n\n`, /cut before its end mark$/],
  [`${END}SELECT 1;\n`, /goes on after its end mark$/],
  [`${END}${END}CREATE TABLE a ();\n`, /goes on after its end mark$/],
  ['COPY a FROM stdin;\n\\.\n', /a COPY that pg_dump does not write: COPY a FROM stdin;$/],
])('refuses %j', (sql, message) => {
  expect(() => read(Buffer.from(sql))).toThrow(message);
});
