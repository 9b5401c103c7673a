import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import type { Context } from '../../../src/context.ts';
import type { RestoreOutcome } from '../../../src/engines/engine.ts';
import { testContext } from '../../test-context.ts';
import { describeDatabase, dump, restore } from './restore-bench.ts';
import { useServer } from './restore-server.ts';
import { takeRichOf } from './take-rich.ts';

const server = useServer('mg_');

beforeEach(server.dropAll);
afterAll(server.dropAll);

const sql = (text: string): Promise<string> => server.sql('m', text);

interface Merging {
  readonly merge: (skipConflicts?: boolean) => Promise<RestoreOutcome>;
  readonly context: Context;
}

async function take(definitions: string): Promise<Merging> {
  const { context, folder } = await testContext();
  await server.sql('postgres', 'CREATE DATABASE mg_m');
  await sql(definitions);
  const taken = await dump(server.target('m'), context, folder);
  return {
    context,
    merge: (skipConflicts = false) => restore(taken, server.target('m'), 'merge', context, { skipConflicts }),
  };
}

describe('a merge', () => {
  test('tells of parts of tables that are missing, with their statements', async () => {
    const { merge } = await take(
      `CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TABLE "my t" (id int PRIMARY KEY, v int CHECK (v > 0));
       CREATE TABLE c (t int CONSTRAINT "to it" REFERENCES "my t"); CREATE INDEX on_v ON "my t" (v); CREATE VIEW shown AS SELECT * FROM c;
       ALTER TABLE "my t" ADD CONSTRAINT late CHECK (v < 100) NOT VALID;
       CREATE TRIGGER touch BEFORE INSERT ON "my t" FOR EACH ROW EXECUTE FUNCTION f(); CREATE RULE quiet AS ON DELETE TO c DO INSTEAD NOTHING; CREATE POLICY p ON c USING (true)`,
    );
    expect((await merge()).warnings).toEqual([]);
    await sql(
      `DROP VIEW shown; DROP INDEX on_v; ALTER TABLE c DROP CONSTRAINT "to it"; DROP TRIGGER touch ON "my t"; DROP RULE quiet ON c; DROP POLICY p ON c;
       ALTER TABLE "my t" DROP CONSTRAINT late`,
    );
    const before = await describeDatabase(server, 'm');
    const { warnings } = await merge();
    expect(await describeDatabase(server, 'm')).toBe(before);
    expect(warnings.toSorted()).toEqual([
      'check constraint late of public."my t" is missing: ALTER TABLE public."my t" ADD CONSTRAINT late CHECK ((v < 100)) NOT VALID;',
      'fk constraint to it of public.c is missing: ALTER TABLE ONLY public.c ADD CONSTRAINT "to it" FOREIGN KEY (t) REFERENCES public."my t"(id);',
      'index public.on_v is missing: CREATE INDEX on_v ON public."my t" USING btree (v);',
      'policy p of public.c is missing: CREATE POLICY p ON public.c USING (true);',
      'rule quiet of public.c is missing: CREATE RULE quiet AS ON DELETE TO public.c DO INSTEAD NOTHING;',
      'trigger touch of public."my t" is missing: CREATE TRIGGER touch BEFORE INSERT ON public."my t" FOR EACH ROW EXECUTE FUNCTION public.f();',
      expect.stringContaining('view public.shown is missing: CREATE VIEW public.shown AS SELECT c.t FROM public.c;'),
    ]);
  });

  test('has nothing to tell of a database that has everything', async () => {
    const { taken, context } = await takeRichOf(server);
    expect((await restore(taken, server.target('rich'), 'merge', context)).warnings).toEqual([]);
  });

  test('names other objects that are missing, and brings foreign tables back', async () => {
    const { merge } = await take(
      `CREATE SCHEMA app; CREATE TYPE app.mood AS ENUM ('ok'); CREATE DOMAIN app.short AS text; CREATE TYPE app."My pair" AS (a int);
       CREATE FUNCTION app.f(int, app.mood[], VARIADIC text[]) RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE FUNCTION app.f() RETURNS int LANGUAGE sql AS 'SELECT 1';
       CREATE FUNCTION app."My f"() RETURNS int LANGUAGE sql AS 'SELECT 1';
       CREATE PROCEDURE app.p(OUT a int, int) LANGUAGE sql AS 'SELECT 1'; CREATE AGGREGATE app.total(*) (SFUNC = int8inc, STYPE = int8, INITCOND = 0);
       CREATE TABLE t (a int, b int); CREATE STATISTICS app.st (dependencies) ON a, b FROM t; CREATE PUBLICATION pub FOR TABLE t;
       CREATE FOREIGN DATA WRAPPER nowhere; CREATE SERVER far FOREIGN DATA WRAPPER nowhere; CREATE FOREIGN TABLE app.there (a int) SERVER far;
       CREATE FUNCTION app.of_mood(app.mood) RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE CAST (app.mood AS int) WITH FUNCTION app.of_mood(app.mood)`,
    );
    expect((await merge()).warnings).toEqual([]);
    await sql('DROP FOREIGN TABLE app.there');
    expect((await merge()).warnings).toEqual([]);
    expect(await sql("SELECT relkind FROM pg_class WHERE oid = 'app.there'::regclass")).toBe('f');
    await sql('DROP FUNCTION app.f(int, app.mood[], VARIADIC text[]); DROP TYPE app."My pair"');
    const before = await describeDatabase(server, 'm');
    const { warnings } = await merge();
    expect(warnings).toEqual([
      'not brought back, a merge adds rows and missing tables: type app."My pair", function app.f(integer, app.mood[], text[])',
    ]);
    expect(await describeDatabase(server, 'm')).toBe(before);
    await sql('DROP SCHEMA app CASCADE; DROP SERVER far; DROP FOREIGN DATA WRAPPER nowhere; DROP PUBLICATION pub');
    expect((await merge()).warnings).toEqual([
      'not brought back, a merge adds rows and missing tables: type app."My pair", type app.mood, domain app.short, function app.of_mood(app.mood), cast (app.mood AS integer), function app.My f(), function app.f(), function app.f(integer, app.mood[], text[]), procedure app.p(integer), aggregate app.total(*) and 2 more',
    ]);
  });

  test('brings sequences, materialized views and lost foreign keys back', async () => {
    const { merge } = await take(
      `CREATE SEQUENCE alone START 5; SELECT nextval('alone'), nextval('alone'); COMMENT ON SEQUENCE alone IS 'mine';
       CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p int CONSTRAINT fk REFERENCES p); INSERT INTO p VALUES (1), (2); INSERT INTO c VALUES (1), (2);
       CREATE SEQUENCE low MINVALUE -10 START 5; SELECT setval('low', -3);
       CREATE MATERIALIZED VIEW sums AS SELECT count(*) FROM c; CREATE UNIQUE INDEX one ON sums (count)`,
    );
    const before = await describeDatabase(server, 'm');
    await sql('DROP SEQUENCE alone; DROP SEQUENCE low; DROP MATERIALIZED VIEW sums; DROP TABLE p CASCADE');
    expect(await merge()).toMatchObject({ restored: { 'table public.p': 2 }, conflicts: [], warnings: [] });
    expect(await describeDatabase(server, 'm')).toBe(before);
    await sql('DROP TABLE p CASCADE; INSERT INTO c VALUES (77)');
    const { warnings } = await merge();
    expect(warnings).toEqual([expect.stringMatching(/^a foreign key came back for new rows only: .*"fk"/)]);
    expect(await sql("SELECT convalidated FROM pg_constraint WHERE conname = 'fk'")).toBe('f');
  });

  test('leaves out rows that break what the table asks for now', async () => {
    const { merge } = await take(
      `CREATE TABLE t (id int PRIMARY KEY, v int, n text, u int); INSERT INTO t SELECT i, i, CASE WHEN i > 2 THEN 'n' END, i FROM generate_series(1, 10) i;
       CREATE TABLE plain (v int); INSERT INTO plain VALUES (1), (NULL), (-1);
       CREATE TABLE part (k int, v int) PARTITION BY LIST (k); CREATE TABLE part_1 PARTITION OF part FOR VALUES IN (1, 2); INSERT INTO part VALUES (1, 1), (2, 2)`,
    );
    await sql(
      `DELETE FROM t; ALTER TABLE t ADD CONSTRAINT small CHECK (v < 9), ALTER n SET NOT NULL, ADD UNIQUE (u); INSERT INTO t VALUES (100, 1, 'x', 5);
       DELETE FROM plain; ALTER TABLE plain ALTER v SET NOT NULL, ADD CHECK (v > 0);
       ALTER TABLE part DETACH PARTITION part_1; DELETE FROM part_1; ALTER TABLE part ATTACH PARTITION part_1 FOR VALUES IN (1)`,
    );
    const before = await describeDatabase(server, 'm');
    const expected = [
      'table public.part_1: 1 row does not belong into this partition',
      'table public.plain: 1 row lacks a value of v',
      'table public.plain: 1 row breaks check plain_v_check',
      'table public.t: 2 rows lack a value of n',
      'table public.t: 2 rows break check small',
      'table public.t: 1 row breaks a rule of the table that is there',
    ];
    await expect(merge()).rejects.toMatchObject({
      code: 'target',
      message: expect.stringContaining('2 rows break check small') as unknown,
      hint: expect.stringContaining('--skip-conflicts') as unknown,
    });
    expect(await describeDatabase(server, 'm')).toBe(before);
    const { conflicts, restored } = await merge(true);
    expect(conflicts).toEqual(expected);
    expect(restored).toEqual({ 'table public.t': 5, 'table public.plain': 1, 'table public.part_1': 1 });
  });
});
