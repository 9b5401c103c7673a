import { afterAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { Probe, TargetOf } from '../../../src/engines/engine.ts';
import { postgres } from '../../../src/engines/postgres.ts';
import { testContext } from '../../test-context.ts';
import { useServer } from './restore-server.ts';

const server = useServer('pr_');

beforeEach(server.dropAll);
afterAll(server.dropAll);

type Filters = Partial<TargetOf<'postgres'>>;

const USER = 'pr_user';
const sql = (text: string): Promise<string> => server.sql('p', text);

/** The database `p` and a user who owns nothing of it. */
async function prepare(statements: string): Promise<void> {
  await server.sql('postgres', `CREATE DATABASE ${server.nameOf('p')}`);
  await server.sql('postgres', `DROP ROLE IF EXISTS ${USER}; CREATE ROLE ${USER} LOGIN PASSWORD '${USER}'`);
  onTestFinished(async () => {
    await server.dropAll();
    await server.sql('postgres', `DROP ROLE ${USER}`);
  });
  await sql(statements);
}

async function probe(user?: string, filters: Filters = {}): Promise<Probe> {
  const { context } = await testContext();
  return postgres.probe({ ...server.target('p', user), ...filters }, context);
}

const messages = (found: readonly { readonly message: string }[]): readonly string[] =>
  found.map(({ message }) => message);

/** What a capture would say in its manifest, or why there is none. */
async function captureSays(user?: string, filters: Filters = {}): Promise<readonly string[]> {
  const { context } = await testContext();
  const capture = await postgres.capture({ ...server.target('p', user), ...filters }, context);
  await capture.close();
  return capture.warnings;
}

describe('what keeps a capture from starting', () => {
  test('is told with the grants that help, which do', async () => {
    await prepare(`CREATE SCHEMA "Far Away"; CREATE TABLE "Far Away".t (id serial, v int);
      CREATE TABLE open (v int); GRANT SELECT ON open TO ${USER}; CREATE SCHEMA empty;
      CREATE MATERIALIZED VIEW unread AS SELECT 1;
      SELECT lo_create(77); SELECT lo_create(78); GRANT SELECT ON LARGE OBJECT 78 TO PUBLIC;`);
    const { problems, warnings } = await probe(USER);
    expect(problems).toEqual([
      {
        message: 'the user may not use schema "Far Away"',
        hint: `\`GRANT pg_read_all_data TO "${USER}"\`, or \`GRANT USAGE ON SCHEMA "Far Away" TO "${USER}"\``,
      },
      {
        message: 'the user may not read "Far Away".t, "Far Away".t_id_seq',
        hint: `\`GRANT pg_read_all_data TO "${USER}"\`, or GRANT SELECT on each of them`,
      },
      {
        message: 'the user may not read large object 77',
        hint: `\`GRANT SELECT ON LARGE OBJECT 77 TO "${USER}"\` and so on, or connect as their owner`,
      },
    ]);
    expect(warnings).toEqual([]);
    await expect(captureSays(USER)).rejects.toMatchObject({ code: 'target', hint: problems[0]?.hint });
    for (const { hint = '' } of problems) await sql(/`(GRANT [^`]*)`/.exec(hint)?.[1] ?? '');
    expect((await probe(USER)).problems).toEqual([]);
    expect(await captureSays(USER)).toEqual([]);
  });

  test('is row-level security that is forced upon the owner, too', async () => {
    await prepare(`CREATE TABLE t (v int); INSERT INTO t VALUES (1), (2); ALTER TABLE t OWNER TO ${USER};
      ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY one ON t USING (v = 1);`);
    expect((await probe(USER)).problems).toEqual([]);
    await sql('ALTER TABLE t FORCE ROW LEVEL SECURITY');
    const { problems } = await probe(USER);
    expect(messages(problems)).toEqual(['row-level security hides rows of public.t']);
    await expect(captureSays(USER)).rejects.toThrow('row-level security hides rows of public.t');
    await sql(/`(ALTER [^`]*)`/.exec(problems[0]?.hint ?? '')?.[1] ?? '');
    expect((await probe(USER)).problems).toEqual([]);
    expect(await captureSays(USER)).toEqual([]);
  });

  test('is not what is left out', async () => {
    await prepare(`CREATE SCHEMA closed; CREATE TABLE closed.t (id serial); CREATE TABLE open (v int);
      CREATE TABLE shut (id serial); SELECT lo_create(77); GRANT SELECT ON open TO ${USER};`);
    expect((await probe(USER)).problems).toHaveLength(3);
    expect(messages((await probe(USER, { excludeSchemas: ['closed'] })).problems)).toEqual([
      'the user may not read public.shut, public.shut_id_seq',
      'the user may not read large object 77',
    ]);
    const filters = { tables: ['open'] };
    expect((await probe(USER, filters)).problems).toEqual([]);
    expect(await captureSays(USER, filters)).toHaveLength(1);
    expect(messages((await probe(USER, { tables: ['gone'] })).problems)[0]).toContain('which matches no table');
  });

  test('names a few of many', async () => {
    await prepare(
      `DO $$ BEGIN FOR i IN 1..30 LOOP EXECUTE 'CREATE TABLE t' || lpad(i::text, 2, '0') || '()'; END LOOP; END $$;
       SELECT lo_create(i) FROM generate_series(80001, 82007) i`,
    );
    expect(messages((await probe(USER)).problems)).toEqual([
      'the user may not read public.t01, public.t02, public.t03, public.t04, public.t05 and 25 more',
      'the user may not read large object 80001, 80002, 80003, 80004, 80005 and 2,002 more',
    ]);
  });
});

describe('what people must know', () => {
  test('is told, and stands in the manifest where something is missing', async () => {
    await prepare(`CREATE UNLOGGED TABLE cache (v int);
      CREATE EXTENSION postgres_fdw; CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'nowhere.invalid');
      CREATE FOREIGN TABLE away (v int) SERVER far;
      CREATE USER MAPPING FOR postgres SERVER far OPTIONS (user 'a', password 'b');
      CREATE USER MAPPING FOR PUBLIC SERVER far;
      CREATE SUBSCRIPTION sub CONNECTION 'host=nowhere.invalid' PUBLICATION p WITH (connect = false);
      INSERT INTO pg_catalog.pg_seclabel VALUES ('cache'::regclass, 'pg_class'::regclass, 0, 'sepgsql', 'x');`);
    onTestFinished(() =>
      server
        .sql(
          'p',
          'ALTER SUBSCRIPTION sub DISABLE; ALTER SUBSCRIPTION sub SET (slot_name = NONE); DROP SUBSCRIPTION sub',
        )
        .then(() => undefined),
    );
    const { problems, warnings } = await probe();
    const foreign = 'rows of foreign tables stay on their own server: public.away';
    expect(problems).toEqual([]);
    expect(messages(warnings)).toEqual([
      foreign,
      'subscriptions are left out at a restore: "sub"',
      'unlogged tables are captured, but empty after a crash of the server: public.cache',
      'security labels can only be restored where their provider is loaded: sepgsql',
    ]);
    expect(warnings.every(({ hint }) => hint !== undefined)).toBe(true);
    expect(await captureSays()).toEqual([foreign]);
    await sql(`GRANT pg_read_all_data TO ${USER}`);
    const hidden =
      'the options of user mappings, and the passwords among them, may not be read: postgres on far, public on far';
    expect(messages((await probe(USER)).warnings)).toContain(hidden);
    expect(await captureSays(USER)).toEqual([foreign, hidden]);
  });

  test('is what a plain dump has no place for', async () => {
    await prepare('CREATE TABLE t (v int)');
    expect((await probe(undefined, { format: 'plain' })).warnings).toEqual([]);
    await sql(`ALTER DATABASE ${server.nameOf('p')} SET work_mem = '5MB'`);
    const message = 'settings, rights, limit and comment of the database itself are not in a plain dump';
    expect((await probe()).warnings).toEqual([]);
    expect(messages((await probe(undefined, { format: 'plain' })).warnings)).toEqual([message]);
    expect(await captureSays(undefined, { format: 'plain' })).toEqual([message]);
  });

  test('is an index that came to nothing', async () => {
    await prepare('CREATE TABLE t (v int); INSERT INTO t VALUES (1), (1)');
    await expect(sql('CREATE UNIQUE INDEX CONCURRENTLY broken ON t (v)')).rejects.toThrow(
      'could not create unique index',
    );
    const message = 'indexes that are not valid are not dumped: public.broken';
    expect(messages((await probe()).warnings)).toEqual([message]);
    expect(await captureSays()).toEqual([message]);
    await sql('DROP INDEX broken');
    expect(await captureSays()).toEqual([]);
  });

  test('is a prepared transaction that holds a lock', async () => {
    await prepare('CREATE TABLE t (v int)');
    await sql(`BEGIN; INSERT INTO t VALUES (1); PREPARE TRANSACTION 'harmless one'`);
    onTestFinished(() => sql(`ROLLBACK PREPARED 'harmless one'`).then(() => undefined));
    expect((await probe()).warnings).toEqual([]);
    await sql(`CREATE TABLE u (v int)`);
    await sql(`BEGIN; LOCK TABLE u; PREPARE TRANSACTION 'it''s mine'`);
    onTestFinished(() => sql(`ROLLBACK PREPARED 'it''s mine'`).then(() => undefined));
    expect(messages((await probe()).warnings)).toEqual([
      `prepared transactions hold locks that a dump waits for: 'it''s mine'`,
    ]);
  });
});
