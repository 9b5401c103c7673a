import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Context } from '../../../src/context.ts';
import { testContext } from '../../test-context.ts';
import { dump, type Dump, restore } from './restore-bench.ts';
import { useServer } from './restore-server.ts';
import { RICH, RICH_ROLES, richProperties } from './rich-database.ts';

const server = useServer('no_');

beforeEach(server.dropAll);
afterAll(server.dropAll);

const ours = (sql: string): string =>
  sql.replaceAll('App Owner', 'no Owner').replaceAll(/\b(?:reader|auditor)\b/g, 'no_$&');

/** A database of every kind of object; its roles are gone. */
async function takeWithoutRoles(): Promise<{ readonly taken: Dump; readonly context: Context }> {
  const { context, folder } = await testContext();
  await server.sql('postgres', ours(RICH_ROLES));
  await server.sql('postgres', `CREATE DATABASE no_rich`);
  await server.sql('rich', ours(RICH));
  await server.sql('postgres', ours(richProperties('no_rich')));
  const taken = await dump(server.target('rich'), context, folder);
  await server.dropAll();
  await server.sql('postgres', 'DROP ROLE "no Owner", no_reader, no_auditor');
  return { taken, context };
}

const owners = (database: string): Promise<string> =>
  server.sql(
    database,
    `SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
     WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'
     UNION SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()
     UNION SELECT pg_get_userbyid(lomowner) FROM pg_largeobject_metadata ORDER BY 1`,
  );

describe('a restore without owners', () => {
  test('is the other way where roles are missing', async () => {
    const { taken, context } = await takeWithoutRoles();
    await expect(restore(taken, server.target('rich'), 'new', context)).rejects.toMatchObject({
      code: 'target',
      hint: expect.stringMatching(/CREATE ROLE "no Owner".*`--no-owner`/) as unknown,
    });
    const outcome = await restore(taken, server.target('rich'), 'new', context, { noOwner: true });
    expect(outcome.facts).toMatchObject({ tables: taken.facts['tables'], largeObjects: 2 });
    expect(await owners('rich')).toBe('postgres');
    expect(outcome.warnings.toSorted()).toEqual([
      expect.stringMatching(/^role no Owner is missing: left out .*DEFAULT ACL/),
      expect.stringMatching(/^role no_reader is missing: left out its rights and settings in the database, .*POLICY/),
    ]);
    const left = outcome.warnings.join('\n');
    for (const part of ['ACL SCHEMA app', 'ACL TABLE customers in schema app', 'USER MAPPING', 'LARGE OBJECT 4242'])
      expect(left).toContain(part);
    expect(
      await server.sql('rich', `SELECT count(*) FROM pg_policies; SELECT count(*) FROM app.orders; SHOW timezone`),
    ).toBe('0\n500\nEurope/Berlin');
  });

  test('goes on top of what is there', async () => {
    const { taken, context } = await takeWithoutRoles();
    await restore(taken, server.target('rich'), 'new', context, { noOwner: true });
    await server.sql('rich', 'DROP TABLE app.orders CASCADE; DROP SCHEMA "Odd Schema" CASCADE; SELECT lo_unlink(4242)');
    const outcome = await restore(taken, server.target('rich'), 'merge', context, { noOwner: true });
    expect(outcome.restored).toMatchObject({ 'table app.orders': 500, 'large objects': 1 });
    expect(outcome.warnings.join('\n')).toContain('POLICY orders mine in schema app');
    expect(await owners('rich')).toBe('postgres');
  });

  test('makes everything the own of a user who may do little', async () => {
    const { taken, context } = await takeWithoutRoles();
    await server.sql('postgres', `CREATE ROLE no_small LOGIN PASSWORD 'no_small'; CREATE ROLE "no Owner"`);
    try {
      await server.sql('postgres', 'CREATE DATABASE no_small OWNER no_small');
      const { context: other, folder } = await testContext();
      await server.sql('postgres', 'CREATE DATABASE no_plain');
      await server.sql(
        'plain',
        `CREATE SCHEMA s; CREATE TABLE s.t (a int PRIMARY KEY); INSERT INTO s.t VALUES (1); ALTER TABLE s.t OWNER TO "no Owner";
         ALTER DEFAULT PRIVILEGES FOR ROLE "no Owner" GRANT SELECT ON TABLES TO PUBLIC; SELECT lo_create(77)`,
      );
      const plain = await dump(server.target('plain'), other, folder);
      const small = server.target('small', 'no_small');
      await expect(restore(plain, small, 'new', other)).rejects.toMatchObject({
        message: expect.stringContaining('the membership of no_small in no Owner') as unknown,
        hint: expect.stringContaining('`--no-owner`') as unknown,
      });
      const outcome = await restore(plain, small, 'new', other, { noOwner: true });
      expect(outcome.warnings).toEqual([
        expect.stringContaining('user no_small is no member of role no Owner: left out DEFAULT ACL'),
      ]);
      expect(await owners('small')).toBe('no_small');
      expect(await server.sql('small', 'SELECT a FROM s.t')).toBe('1');
      await server.sql('small', 'UPDATE s.t SET a = 9; SELECT lo_unlink(77)');
      const again = await restore(plain, small, 'replace', other, { noOwner: true });
      expect(again).toMatchObject({ keptOld: [], warnings: outcome.warnings });
      expect(await server.sql('small', 'SELECT a FROM s.t')).toBe('1');
      expect(await owners('small')).toBe('no_small');
      const alone = { noOwner: true, paths: ['s.t'], expectedFacts: null };
      await server.sql('small', 'DROP TABLE s.t');
      expect(await restore(plain, small, 'new', other, alone)).toMatchObject({ warnings: [] });
      expect(await owners('small')).toBe('no_small');
      await expect(restore(taken, small, 'merge', context)).rejects.toMatchObject({ code: 'target' });
    } finally {
      await server.dropAll();
      await server.sql('postgres', 'DROP ROLE no_small, "no Owner"');
    }
  });
});

/** Rights of roles of which one is gone, in every shape that pg_dump gives them. */
async function takeRights(): Promise<{
  readonly taken: Dump;
  readonly context: Context;
  readonly rights: (database: string) => Promise<string>;
}> {
  const { context, folder } = await testContext();
  await server.sql('postgres', 'CREATE ROLE no_here; CREATE ROLE no_deputy; CREATE ROLE no_gone');
  await server.sql('postgres', 'CREATE DATABASE no_rights');
  await server.sql(
    'rights',
    `CREATE SCHEMA s; GRANT USAGE ON SCHEMA s TO no_here, no_deputy, no_gone;
     CREATE TABLE s.t (a int PRIMARY KEY, b int); INSERT INTO s.t VALUES (1, 2);
     GRANT SELECT ON s.t TO no_here, no_gone; GRANT UPDATE (b) ON s.t TO no_here, no_gone;
     GRANT INSERT ON s.t TO no_deputy, no_gone WITH GRANT OPTION;
     SET ROLE no_deputy; GRANT INSERT ON s.t TO no_here, no_gone; SET ROLE no_gone; GRANT INSERT ON s.t TO no_here; RESET ROLE;
     CREATE TABLE s.handed (a int); GRANT DELETE ON s.handed TO no_gone WITH GRANT OPTION;
     SET ROLE no_gone; GRANT DELETE ON s.handed TO no_deputy WITH GRANT OPTION; SET ROLE no_deputy; GRANT DELETE ON s.handed TO no_here; RESET ROLE;
     CREATE FUNCTION s.secret() RETURNS int LANGUAGE sql AS 'SELECT 1';
     REVOKE ALL ON FUNCTION s.secret() FROM PUBLIC; GRANT EXECUTE ON FUNCTION s.secret() TO no_gone;
     ALTER DEFAULT PRIVILEGES IN SCHEMA s GRANT SELECT ON TABLES TO no_here, no_gone;
     SELECT lo_create(88); GRANT SELECT ON LARGE OBJECT 88 TO no_here, no_gone`,
  );
  const taken = await dump(server.target('rights'), context, folder);
  await server.sql('postgres', 'DROP DATABASE no_rights');
  await server.sql('postgres', 'DROP ROLE no_gone');
  const rights = (database: string): Promise<string> =>
    server.sql(
      database,
      `SELECT relname, relacl FROM pg_class WHERE relnamespace = 's'::regnamespace AND relkind = 'r' ORDER BY 1;
       SELECT attname, attacl FROM pg_attribute WHERE attacl IS NOT NULL AND attrelid = 's.t'::regclass;
       SELECT proacl FROM pg_proc WHERE proname = 'secret'; SELECT nspacl FROM pg_namespace WHERE nspname = 's';
       SELECT defaclacl FROM pg_default_acl; SELECT lomacl FROM pg_largeobject_metadata`,
    );
  return { taken, context, rights };
}

const RIGHTS = `handed|
t|{postgres=arwdDxt/postgres,no_here=r/postgres,no_deputy=a*/postgres,no_here=a/no_deputy}
b|{no_here=w/postgres}
{postgres=X/postgres}
{postgres=UC/postgres,no_here=U/postgres,no_deputy=U/postgres}
{no_here=r/postgres}
{postgres=rw/postgres,no_here=r/postgres}`;

describe('rights of several roles of which one is missing', () => {
  afterEach(async () => {
    await server.dropAll();
    await server.sql('postgres', 'DROP ROLE IF EXISTS no_here, no_deputy, no_gone');
  });

  test('come back in place, and where the user may give none for others are told', async () => {
    const { taken, context, rights } = await takeRights();
    await server.sql('postgres', `CREATE ROLE no_small LOGIN PASSWORD 'no_small'`);
    await server.sql('postgres', 'CREATE DATABASE no_rights OWNER no_small');
    const target = server.target('rights', 'no_small');
    try {
      const lost = [',no_here=a/no_deputy', '{no_here=r/postgres}\n'];
      const expected = lost.reduce((all, one) => all.replace(one, ''), RIGHTS).replaceAll('postgres', 'no_small');
      for (const mode of ['new', 'replace'] as const) {
        const outcome = await restore(taken, target, mode, context, { noOwner: true });
        expect(outcome.keptOld).toEqual([]);
        expect(await rights('rights')).toBe(expected);
        expect(outcome.warnings.toSorted()).toEqual([
          expect.stringMatching(/^role no_gone is missing: left out .*a part of ACL TABLE t/),
          'user no_small is no member of role postgres: left out DEFAULT ACL DEFAULT PRIVILEGES FOR TABLES in schema s',
          'user no_small may not grant for others: left out a part of ACL TABLE t in schema s',
        ]);
      }
    } finally {
      await server.dropAll();
      await server.sql('postgres', 'DROP ROLE no_small');
    }
  });
});
