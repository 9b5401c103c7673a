import { Readable } from 'node:stream';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import type { IncomingArtifact } from '../../../src/engines/engine.ts';
import { createContext } from '../../../src/system/create-context.ts';
import { testContext } from '../../test-context.ts';
import { describeDatabase, dump, type Dump, restore } from './restore-bench.ts';
import { useServer } from './restore-server.ts';
import { RICH } from './rich-database.ts';
import { takeRichOf } from './take-rich.ts';

const server = useServer('rm_');

beforeEach(server.dropAll);
afterAll(server.dropAll);

async function take(sql: string): Promise<Awaited<ReturnType<typeof testContext>> & { readonly taken: Dump }> {
  const made = await testContext();
  await server.sql('postgres', `CREATE DATABASE ${server.nameOf('m')}`);
  await server.sql('m', sql);
  return { ...made, taken: await dump(server.target('m'), made.context, made.folder) };
}

const m = (): ReturnType<typeof server.target> => server.target('m');
const sql = (text: string): Promise<string> => server.sql('m', text);

async function* firstBytes(raw: Readable, most: number): AsyncGenerator<Buffer> {
  let left = most;
  for await (const chunk of raw) {
    const bytes = (chunk as Buffer).subarray(0, left);
    left -= bytes.length;
    if (bytes.length > 0) yield bytes;
  }
}

describe('a merge', () => {
  test('of a database into itself changes nothing', async () => {
    const { taken, before, context } = await takeRichOf(server);
    expect(await restore(taken, server.target('rich'), 'merge', context)).toEqual({
      facts: null,
      keptOld: [],
      restored: {},
      conflicts: [],
      warnings: [],
    });
    expect(await describeDatabase(server, 'rich')).toBe(before);
  });

  test('brings every kind of row back, with its triggers silent', async () => {
    const { taken, before, context } = await takeRichOf(server);
    await server.sql(
      'rich',
      `SET session_replication_role = replica; ALTER TABLE app.customers DISABLE TRIGGER ALL;
       DELETE FROM app.customers WHERE id <> 2; DELETE FROM app.orders WHERE id > 10; ALTER TABLE app.log REPLICA IDENTITY FULL; DELETE FROM app.log WHERE ctid < '(0,30)'; ALTER TABLE app.log REPLICA IDENTITY DEFAULT;
       DELETE FROM app.measures WHERE value < 50; TRUNCATE app.cache; DELETE FROM "Odd Schema"."Odd ""Table""";
       SELECT lo_unlink(4242);
       ALTER TABLE app.customers ENABLE TRIGGER ALL; ALTER TABLE app.customers ENABLE ALWAYS TRIGGER stamp`,
    );
    const outcome = await restore(taken, server.target('rich'), 'merge', context);
    expect(outcome.restored).toMatchObject({
      'table app.customers': 2,
      'table app.orders': 490,
      'table app.cache': 1,
      'large objects': 1,
    });
    expect(outcome.conflicts).toEqual([]);
    expect(await describeDatabase(server, 'rich')).toBe(before);
  });

  test('brings tables back with all that is theirs', async () => {
    const { taken, before, context } = await takeRichOf(server, RICH);
    await server.sql(
      'rich',
      `DROP TABLE app.orders CASCADE; DROP TABLE app.measures_b; DROP TABLE app.cache; DROP TABLE app.log CASCADE;
       DROP SCHEMA "Odd Schema" CASCADE`,
    );
    await restore(taken, server.target('rich'), 'merge', context);
    const lines = (text: string): readonly string[] => text.split('\n').toSorted();
    expect(lines(await describeDatabase(server, 'rich'))).toEqual(lines(before));
  });

  test('keeps what is there, and never takes a sequence back', async () => {
    const { taken, context } = await take(
      `CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v text);
       INSERT INTO t (v) SELECT 'captured' FROM generate_series(1, 5); CREATE SEQUENCE s; SELECT nextval('s'), nextval('s'), nextval('s');
       CREATE SEQUENCE ahead; CREATE TABLE plain (v json); INSERT INTO plain VALUES ('1'), ('1'), ('2')`,
    );
    await sql(
      `DELETE FROM t WHERE id = 3; UPDATE t SET v = 'mine' WHERE id = 1; INSERT INTO t (v) VALUES ('new');
       SELECT setval('s', 1), setval('ahead', 50); DELETE FROM plain WHERE v::text = '1'; INSERT INTO plain VALUES ('1'), ('3')`,
    );
    const { restored } = await restore(taken, m(), 'merge', context);
    expect(restored).toEqual({ 'table public.t': 1, 'table public.plain': 1 });
    expect(await sql('SELECT id, v FROM t ORDER BY 1')).toBe(
      '1|mine\n2|captured\n3|captured\n4|captured\n5|captured\n6|new',
    );
    expect(await sql('SELECT v::text FROM plain ORDER BY 1')).toBe('1\n1\n2\n3');
    expect(await sql(`SELECT nextval('s'), nextval('ahead'), nextval('t_id_seq')`)).toBe('4|51|7');
  });

  test('is all or nothing where rows lost what they refer to', async () => {
    const { taken, context } = await take(
      `CREATE TABLE p (id int PRIMARY KEY, code text UNIQUE, late int UNIQUE DEFERRABLE);
       CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p);
       CREATE TABLE g (id int PRIMARY KEY, c int REFERENCES c); CREATE TABLE k (v int);
       INSERT INTO p VALUES (1, 'a', 1), (2, 'b', 2), (3, 'c', 3); INSERT INTO c VALUES (1, 1), (2, 2), (3, 3); INSERT INTO g VALUES (1, 1), (2, 2);
       INSERT INTO k VALUES (1)`,
    );
    await sql(
      `DELETE FROM g; DELETE FROM c; DELETE FROM p; DELETE FROM k; INSERT INTO p VALUES (8, 'b', 8), (9, 'z', 3); DROP TABLE g`,
    );
    const before = await describeDatabase(server, 'm');
    await expect(restore(taken, m(), 'merge', context)).rejects.toMatchObject({
      code: 'target',
      message: expect.stringContaining('table public.c: 2 rows refer to rows that are not there') as unknown,
      hint: expect.stringContaining('--skip-conflicts') as unknown,
    });
    expect(await describeDatabase(server, 'm')).toBe(before);
    const outcome = await restore(taken, m(), 'merge', context, { skipConflicts: true });
    expect(outcome.conflicts).toEqual([
      'table public.p: 2 rows break a rule of the table that is there',
      'table public.c: 2 rows refer to rows that are not there',
      'table public.g: 1 row refers to rows that are not there',
    ]);
    expect(outcome.restored).toEqual({
      'table public.p': 1,
      'table public.c': 1,
      'table public.g': 1,
      'table public.k': 1,
    });
    expect(
      await sql(
        "SELECT id FROM p ORDER BY 1; SELECT id FROM c; SELECT id FROM g; SELECT convalidated FROM pg_constraint WHERE contype = 'f'",
      ),
    ).toBe('1\n8\n9\n1\n1\nt\nt');
  });

  test('tells of columns and names that are gone', async () => {
    const { taken, context } = await take(
      'CREATE TABLE t (a int, b int); INSERT INTO t VALUES (1, 2); CREATE TABLE v (a int)',
    );
    await sql('ALTER TABLE t DROP COLUMN b; DROP TABLE v; CREATE VIEW v AS SELECT 1 AS a');
    const { conflicts } = await restore(taken, m(), 'merge', context, { skipConflicts: true });
    expect(conflicts).toEqual([
      'table public.t: its rows have columns that are not there any more: b',
      'table public.v: something else has its name now',
    ]);
  });

  test('that is aborted at any moment, or whose archive is cut, changes nothing', async () => {
    const { taken, folder } = await take(
      `CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT i, repeat('x', 100) FROM generate_series(1, 50000) i;
       CREATE SEQUENCE s START 7`,
    );
    await sql('DELETE FROM t WHERE id > 10');
    const before = await describeDatabase(server, 'm');
    const outcomes: string[] = [];
    for (const ms of [0, 50, 100, 150, 200, 300, 400]) {
      const controller = new AbortController();
      const { context, dispose } = await createContext({ workDirParent: folder, signal: controller.signal });
      const timer = setTimeout(() => controller.abort(), ms);
      const running = restore(taken, m(), 'merge', context).then(
        () => 'done',
        (error: unknown) => (error as { readonly code: string }).code,
      );
      outcomes.push(await running);
      clearTimeout(timer);
      await dispose();
      if (outcomes.at(-1) === 'done') break;
      expect(outcomes.at(-1), `${ms} ms`).toBe('interrupted');
      expect(await describeDatabase(server, 'm')).toBe(before);
    }
    expect(outcomes).toContain('interrupted');
    await sql('DELETE FROM t WHERE id > 10');
    const { context } = await testContext();
    const artifact = taken.artifact(context);
    const cut: IncomingArtifact = {
      ...artifact,
      into: (sink) =>
        sink.kind !== 'reader'
          ? artifact.into(sink)
          : artifact.into({ kind: 'reader', read: (raw) => sink.read(Readable.from(firstBytes(raw, 1_000_000))) }),
    };
    const running = restore(taken, m(), 'merge', context, { artifacts: [cut] });
    await expect(running).rejects.toMatchObject({ code: expect.stringMatching(/target|integrity/) as unknown });
    expect(await describeDatabase(server, 'm')).toBe(before);
  });

  test('needs the right to silence triggers', async () => {
    await server.sql('postgres', `DROP ROLE IF EXISTS rm_owner; CREATE ROLE rm_owner LOGIN PASSWORD 'rm_owner'`);
    const { taken, context } = await take(
      'SET ROLE rm_owner; RESET ROLE; GRANT ALL ON SCHEMA public TO rm_owner; SET ROLE rm_owner; CREATE TABLE t (a int PRIMARY KEY); INSERT INTO t VALUES (1)',
    );
    await sql('DELETE FROM t');
    const own = server.target('m', 'rm_owner');
    await expect(restore(taken, own, 'merge', context)).rejects.toMatchObject({
      code: 'target',
      hint: 'GRANT SET ON PARAMETER session_replication_role TO "rm_owner"',
    });
    await server.sql('postgres', 'GRANT SET ON PARAMETER session_replication_role TO rm_owner');
    expect((await restore(taken, own, 'merge', context)).restored).toEqual({ 'table public.t': 1 });
    await server.dropAll();
    await server.sql('postgres', 'DROP OWNED BY rm_owner; DROP ROLE rm_owner');
  });
});
