import { afterAll, beforeEach, describe, expect, test } from 'vitest';
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
