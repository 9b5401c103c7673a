import { describe, expect, test } from 'vitest';
import { connectionOf, servicesToTry } from '../../services/connection.ts';
import { describeCanonically } from './canonical.ts';
import { oneDatabase } from './one-database.ts';

type Kind = readonly [name: string, options: string, statements: string];

/** Names and rows in every encoding; bytes that are no text at all where the database takes them. */
const KINDS: readonly Kind[] = [
  [
    'LATIN1',
    `ENCODING LATIN1 LOCALE 'C'`,
    `CREATE TABLE "größe" ("ä" text); INSERT INTO "größe" VALUES ('naïve'), ('ß')`,
  ],
  ['EUC_JP', `ENCODING EUC_JP LOCALE 'C'`, `CREATE TABLE "表" (v text); INSERT INTO "表" VALUES ('日本語')`],
  [
    'SQL_ASCII',
    `ENCODING SQL_ASCII LOCALE 'C'`,
    `CREATE TABLE t (v text); INSERT INTO t VALUES (E'\\xff\\xfe'), ('é'), ('plain'); CREATE SEQUENCE "é"`,
  ],
  ['two locales', `LC_COLLATE 'C' LC_CTYPE 'C.UTF-8'`, `CREATE TABLE t (v text); INSERT INTO t VALUES ('ä')`],
];
const SORTED = `CREATE TABLE t (v text); INSERT INTO t VALUES ('ä'), ('z'), ('a'); CREATE INDEX ON t (v)`;
/** Debian's server is built with ICU, the others are not; a locale of the server itself came with 17. */
const kindsOn = (service: string): readonly Kind[] => [
  ...KINDS,
  service === 'postgres-15'
    ? ['an ICU locale', `LOCALE_PROVIDER icu ICU_LOCALE 'de-AT'`, SORTED]
    : ['a locale of the server', `LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'`, SORTED],
];

describe.each(servicesToTry('postgres'))('%s brings a database back', (service) => {
  const cases = kindsOn(service).flatMap(([name, options, statements]) =>
    (['custom', 'plain'] as const).map((format) => [name, format, options, statements] as const),
  );

  test.each(cases)('in %s (%s)', async (_name, format, options, statements) => {
    const { capture, restore, target, copy } = await oneDatabase(
      `SET client_encoding = 'UTF8'; ${statements}`,
      service,
      options,
    );
    const taken = await capture({ format });
    const { facts, warnings } = await restore(taken);
    expect([facts, warnings]).toEqual([taken.facts, []]);
    const server = connectionOf(service);
    expect(describeCanonically(server, copy.database)).toBe(describeCanonically(server, target.database));
  });
});
