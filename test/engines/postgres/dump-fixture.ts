import { execFileSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { RawReader } from '../../../src/engines/engine.ts';
import { BkpError } from '../../../src/errors.ts';
import type { Connection } from '../../services/connection.ts';
import { psql } from '../../services/postgres-psql.ts';

const FAKE = 'COPY public.fake (a) FROM stdin;\n1\n2\n\\.\n--\n-- PostgreSQL database dump complete\n--\n\n';
const FAKE_OBJECT = "SELECT pg_catalog.lo_open('4711', 131072);\n";

/** Tables and rows of many kinds, and text in every place where it could be taken for rows or for the end. */
export const ODD_DATABASE: string = `
  SET check_function_bodies = off;
  CREATE TABLE empty (a int, b text);
  CREATE TABLE columnless ();
  INSERT INTO columnless DEFAULT VALUES; INSERT INTO columnless DEFAULT VALUES;
  CREATE TABLE texts (a text);
  INSERT INTO texts VALUES (''), (NULL), ('\\.'), (E'\\n\\\\.\\n'), (E'tab\\tcr\\rnl\\n'), (E'a\\\\'), ('\\\\.'), ('.'),
    (E'x\\n\\\\.'), ('COPY public.fake (a) FROM stdin;'), (repeat('long ', 15000)), ('1'), ('$$'), ('''');
  CREATE TABLE dots (a text); INSERT INTO dots SELECT '\\.' FROM generate_series(1, 300);
  CREATE TABLE bytes (a bytea, b text); INSERT INTO bytes SELECT decode(repeat(to_hex(10), n), 'escape'), repeat('y', n)
    FROM generate_series(1, 280) n;
  CREATE TABLE "Odd ""name"" (a) FROM stdin;" ("c, "" d" int, "select" text); INSERT INTO "Odd ""name"" (a) FROM stdin;"
    SELECT n, 'x' FROM generate_series(1, 7) n;
  CREATE SCHEMA "new
line"; CREATE TABLE "new
line"."COPY public.fake (a) FROM stdin;
\\." (a int); INSERT INTO "new
line"."COPY public.fake (a) FROM stdin;
\\." VALUES (1);
  CREATE SEQUENCE unused; CREATE SEQUENCE "it's \\ ""odd"""; SELECT setval('"it''s \\ ""odd"""', 9223372036854775807);
  CREATE SCHEMA größe; CREATE SEQUENCE größe.select_seq MINVALUE -9 START -9; SELECT nextval('größe.select_seq'); CREATE TABLE größe."select" (a int); INSERT INTO größe."select" VALUES (1), (2);
  CREATE TABLE parts (id int, at int) PARTITION BY RANGE (at);
  CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
  CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (10) TO (100);
  INSERT INTO parts SELECT n, n FROM generate_series(0, 99) n;
  CREATE TABLE parent (a int); CREATE TABLE child () INHERITS (parent); INSERT INTO parent VALUES (1); INSERT INTO child VALUES (2), (3);
  CREATE TABLE computed (a int GENERATED ALWAYS AS IDENTITY, b int GENERATED ALWAYS AS (1 + 1) STORED, c text);
  INSERT INTO computed (c) SELECT 'x' FROM generate_series(1, 33);
  CREATE UNLOGGED TABLE unlogged (a int); INSERT INTO unlogged VALUES (1);
  CREATE TABLE defaults (a text DEFAULT '${FAKE}', b text DEFAULT E'\\\\''\\n${FAKE.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}',
    "col
COPY public.fake (a) FROM stdin;
\\." int, CHECK (a <> E'it''s \\\\'));
  INSERT INTO defaults (a) VALUES ('x');
  COMMENT ON TABLE defaults IS 'a ''quoted'' note
${FAKE}';
  CREATE FUNCTION fakes() RETURNS text LANGUAGE plpgsql AS $body$ BEGIN
${FAKE}${FAKE_OBJECT} RETURN $$
${FAKE}$$; END $body$;
  CREATE FUNCTION fakes_sql(text) RETURNS text LANGUAGE sql AS 'SELECT $1 /* ''
${FAKE}*/';
  CREATE FUNCTION atomic(int) RETURNS text LANGUAGE sql BEGIN ATOMIC SELECT $1; SELECT '
${FAKE}${FAKE_OBJECT.replaceAll("'", "''")}'; END;
  CREATE VIEW seen AS SELECT a, E'\\n${FAKE_OBJECT.replaceAll("'", "''").replaceAll('\n', '\\n')}' AS b FROM texts;
  CREATE MATERIALIZED VIEW kept AS SELECT count(*) FROM texts;
  SELECT lo_create(5000), lo_from_bytea(5001, 'abc'), lo_from_bytea(4000000000, decode(repeat('0a5c2e0a', 9000), 'hex'));`;

const COUNTS = `
  SELECT format('SELECT json_build_array(%L, %L, count(*)) FROM ONLY %I.%I', nspname, relname, nspname, relname)
  FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
  WHERE relkind = 'r' AND nspname NOT IN ('pg_catalog', 'information_schema') \\gexec`;

/** Rows by schema and table, as the server counts them. */
export function countRows(connection: Connection, database: string): readonly (readonly [string, string, number])[] {
  return psql(connection, database, COUNTS)
    .split('\n')
    .map((line) => JSON.parse(line));
}

/** The sequences of the odd database. */
export const ODD_SEQUENCES: Readonly<Record<string, string | null>> = {
  '"größe".select_seq': '-9',
  'public."it\'s \\ ""odd"""': '9223372036854775807',
  'public.computed_a_seq': '33',
  'public.unused': null,
};

/** What a client program of the server writes to a pipe. */
export function run(connection: Connection, program: string, ...args: readonly string[]): Buffer {
  return execFileSync(join(connection['bin'] ?? '', program), args, options(connection, 'pipe'));
}

/** The same with its stdout in a file. */
export function runInto(connection: Connection, path: string, program: string, ...args: readonly string[]): void {
  const file = openSync(path, 'w');
  try {
    execFileSync(join(connection['bin'] ?? '', program), args, options(connection, file));
  } finally {
    closeSync(file);
  }
}

const options = ({ host = '', port = '', user = '', password = '' }: Connection, stdout: 'pipe' | number) => ({
  env: { LC_ALL: 'C.UTF-8', PGHOST: host, PGPORT: port, PGUSER: user, PGPASSWORD: password },
  stdio: ['ignore', stdout, 'pipe'] as ['ignore', 'pipe' | number, 'pipe'],
  maxBuffer: 2 ** 28,
});

/** Pushes bytes in pieces, in one buffer that is overwritten afterwards as the reader process does it. */
export function feed(reader: RawReader, bytes: Buffer, pieceBytes: number): RawReader {
  const piece = Buffer.alloc(pieceBytes);
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    reader.push(piece.subarray(0, bytes.copy(piece, 0, at, at + pieceBytes)));
    piece.fill(0xff);
  }
  return reader;
}

/** The code of the error that a call throws; `whole` where it throws none. Anything but a `BkpError` is a bug. */
export function verdictOf(act: () => unknown): string {
  try {
    act();
    return 'whole';
  } catch (error) {
    if (error instanceof BkpError) return error.code;
    throw error;
  }
}

/** Lengths at which a reader takes a beginning of the bytes for whole: it is asked after every single byte. */
export function wholeLengths(reader: RawReader, bytes: Buffer): readonly number[] {
  const whole: number[] = [];
  for (let at = 0; at < bytes.length; at++) {
    reader.push(bytes.subarray(at, at + 1));
    if (verdictOf(() => reader.end()) === 'whole') whole.push(at + 1);
  }
  return whole;
}
