import { afterAll, beforeAll, expect, test } from 'vitest';
import { postgres } from '../../../src/engines/postgres.ts';
import { parseGlobals } from '../../../src/engines/postgres/databases/globals.ts';
import { testContext } from '../../test-context.ts';
import { postgresFixture } from '../postgres-fixture.ts';
import { incoming, newRepository, restore, take, type Taken } from '../workbench.ts';
import { type OwnServer, startOwnServer } from './own-server.ts';

let server: OwnServer;
beforeAll(async () => {
  server = await startOwnServer();
});
afterAll(() => server.stop());

const ROLES = `
  CREATE ROLE staff; CREATE ROLE "Odd; -- 'Role'" LOGIN PASSWORD 'it''s; \\secret' CONNECTION LIMIT 3 VALID UNTIL '2030-01-01';
  GRANT staff TO "Odd; -- 'Role'" WITH ADMIN OPTION;
  ALTER ROLE staff SET work_mem TO '7MB';
  COMMENT ON ROLE staff IS E'first; line\\nsecond -- line';
  CREATE ROLE small LOGIN PASSWORD 'small';`;

/** Drops the database with all its copies, and the roles that only it needs. */
function dropApp(): void {
  const names = server.sql('postgres', `SELECT quote_ident(datname) FROM pg_database WHERE datname LIKE 'app%'`);
  for (const name of names.split('\n').filter(Boolean)) server.sql('postgres', `DROP DATABASE ${name} WITH (FORCE)`);
  server.sql('postgres', `DROP ROLE staff, "Odd; -- 'Role'"`);
}

/** All that is known of roles, without their numbers. */
const describeRoles = (): string =>
  server.sql(
    'postgres',
    `SELECT rolname, rolsuper, rolcanlogin, rolconnlimit, rolvaliduntil, rolpassword, shobj_description(oid, 'pg_authid'),
       (SELECT setconfig FROM pg_db_role_setting WHERE setrole = a.oid AND setdatabase = 0)
     FROM pg_authid a WHERE rolname !~ '^pg_' ORDER BY 1;
     SELECT r.rolname, m.rolname, admin_option FROM pg_auth_members
       JOIN pg_roles r ON r.oid = roleid JOIN pg_roles m ON m.oid = member WHERE r.rolname !~ '^pg_'`,
  );

async function takeApp(changes: object = {}): Promise<Taken & { readonly context: Parameters<typeof incoming>[1] }> {
  const { context, folder } = await testContext();
  const target = { ...server.config, database: 'app', globals: true, ...changes };
  return { ...(await take(postgresFixture, target, await newRepository(folder, context), context)), context };
}

test('roles and memberships come back before the database that needs them', async () => {
  server.sql('postgres', ROLES);
  server.sql('postgres', 'CREATE DATABASE app');
  server.sql('app', `CREATE TABLE t (n int); ALTER TABLE t OWNER TO staff; GRANT SELECT ON t TO "Odd; -- 'Role'"`);
  const { context, ...taken } = await takeApp();
  expect(taken.facts).toMatchObject({ globals: { roles: 4, memberships: 1, tablespaces: 0 } });
  const { facts } = await postgres.check(incoming(taken, context), context, {});
  expect(taken.facts).toMatchObject(facts);

  const before = describeRoles();
  dropApp();
  server.sql('postgres', 'ALTER ROLE small CONNECTION LIMIT 9');
  const target = { ...server.config, database: 'app' };
  const outcome = await restore(postgresFixture, taken, target, 'new', context);
  expect(outcome).toMatchObject({
    restored: { roles: 2, memberships: 1, 'table public.t': 0 },
    warnings: [],
    conflicts: [],
  });
  expect(server.sql('app', `SELECT tableowner FROM pg_tables WHERE tablename = 't'`)).toBe('staff');
  // What was there is left as it is.
  expect(describeRoles()).toBe(before.replace(/^(small\|f\|t\|)-1/m, '$19'));

  const again = await restore(postgresFixture, taken, target, 'replace', context);
  expect(again.restored).toEqual({ 'table public.t': 0 });
});

test('what cannot be made is told', async () => {
  const { context, ...taken } = await takeApp();
  dropApp();
  server.sql('postgres', 'ALTER ROLE small CREATEDB');
  const target = { ...server.config, user: 'small', password: 'small', database: 'app' };
  await expect(restore(postgresFixture, taken, target, 'new', context)).rejects.toMatchObject({
    message: expect.stringContaining(`role Odd; -- 'Role'`),
  });
});

test('a user who may not read passwords captures without them', async () => {
  server.sql('postgres', 'CREATE DATABASE app OWNER small');
  const { context } = await testContext();
  const target = { ...server.config, user: 'small', password: 'small', database: 'app', globals: true };
  const capture = await postgres.capture(target, context);
  expect(capture.warnings).toEqual(['without the passwords of roles: user small may not read them']);
  await capture.close();
  const { facts } = await takeApp({ user: 'small', password: 'small' });
  expect(facts).toMatchObject({ globals: { roles: 2 } });
});

test('a script that is cut is not read', () => {
  expect(() => parseGlobals('CREATE ROLE a;\n')).toThrow(expect.objectContaining({ code: 'integrity' }));
});
