import { describe, expect, onTestFinished, test } from 'vitest';
import type { RestoreMode, RestoreOutcome, RestoreRequest } from '../../../src/engines/engine.ts';
import { postgres } from '../../../src/engines/postgres.ts';
import type { PostgresTarget } from '../../../src/engines/postgres/server/connection.ts';
import { connectionOf, servicesToTry } from '../../services/connection.ts';
import { psql } from '../../services/postgres-psql.ts';
import { incoming, SNAPSHOT } from '../workbench.ts';
import { oneDatabase } from './one-database.ts';

const FORMATS = ['custom', 'directory', 'tar', 'plain'] as const;
const cases = servicesToTry('postgres').flatMap((service) => FORMATS.map((format) => [service, format] as const));

/** Rights of three roles, in every shape that pg_dump gives them. */
const RIGHTS = `
  CREATE SCHEMA s; GRANT USAGE ON SCHEMA s TO rr_here, rr_deputy, rr_gone;
  CREATE TABLE s.t (a int PRIMARY KEY, b int); INSERT INTO s.t VALUES (1, 2);
  GRANT SELECT ON s.t TO rr_here, rr_gone; GRANT UPDATE (b) ON s.t TO rr_here, rr_gone;
  GRANT INSERT ON s.t TO rr_deputy, rr_gone WITH GRANT OPTION;
  SET ROLE rr_deputy; GRANT INSERT ON s.t TO rr_here, rr_gone; SET ROLE rr_gone; GRANT INSERT ON s.t TO rr_here; RESET ROLE;
  CREATE TABLE s.handed (a int); GRANT UPDATE ON s.handed TO rr_gone WITH GRANT OPTION;
  SET ROLE rr_gone; GRANT UPDATE ON s.handed TO rr_deputy WITH GRANT OPTION;
  SET ROLE rr_deputy; GRANT UPDATE ON s.handed TO rr_here; GRANT UPDATE (a) ON s.handed TO rr_here; RESET ROLE;
  CREATE FUNCTION s.secret() RETURNS int LANGUAGE sql AS 'SELECT 1';
  REVOKE ALL ON FUNCTION s.secret() FROM PUBLIC; GRANT EXECUTE ON FUNCTION s.secret() TO rr_gone;
  ALTER DEFAULT PRIVILEGES IN SCHEMA s GRANT SELECT ON TABLES TO rr_here, rr_gone;
  SELECT lo_create(88), lo_create(89); GRANT SELECT ON LARGE OBJECT 88, 89 TO rr_here, rr_gone`;

/** Without those of the owner, who has more from version to version. */
const SHOWN = `
  SELECT relname, array_to_string(relacl, ' ') FROM pg_class WHERE relnamespace = 's'::regnamespace AND relkind = 'r' ORDER BY 1;
  SELECT attrelid::regclass, attname, array_to_string(attacl, ' ') FROM pg_attribute WHERE attacl IS NOT NULL AND attrelid IN ('s.t'::regclass, 's.handed'::regclass);
  SELECT array_to_string(proacl, ' ') FROM pg_proc WHERE proname = 'secret'; SELECT array_to_string(nspacl, ' ') FROM pg_namespace WHERE nspname = 's';
  SELECT array_to_string(defaclacl, ' ') FROM pg_default_acl; SELECT oid, array_to_string(lomacl, ' ') FROM pg_largeobject_metadata ORDER BY 1`;

const LEFT = `handed|
t| rr_here=r/postgres rr_deputy=a*/postgres rr_here=a/rr_deputy
s.t|b|rr_here=w/postgres

 rr_here=U/postgres rr_deputy=U/postgres
rr_here=r/postgres
88| rr_here=r/postgres
89| rr_here=r/postgres`;

const ROLES = ['rr_here', 'rr_deputy', 'rr_gone'];

describe.each(cases)('on %s, a dump as %s without owners', (service, format) => {
  test('brings the rights of roles that are there, and of no others', async () => {
    const server = connectionOf(service);
    const admin = (sql: string): string => psql(server, 'postgres', sql);
    onTestFinished(() => void admin(`DROP ROLE IF EXISTS ${ROLES.join(', ')}`));
    for (const role of ROLES) admin(`CREATE ROLE ${role}`);
    const { target, copy, context, capture, sql, sqlOfCopy } = await oneDatabase(RIGHTS, service);
    const taken = await capture({ format });
    sql('DROP SCHEMA s CASCADE; SELECT lo_unlink(88), lo_unlink(89); DROP OWNED BY rr_gone');
    admin('DROP ROLE rr_gone');
    const rights = (): string => sqlOfCopy(SHOWN).replaceAll(/postgres=\w+\/postgres/g, '');
    const restore = (
      mode: RestoreMode,
      changes: Partial<RestoreRequest<PostgresTarget>> = {},
    ): Promise<RestoreOutcome> =>
      postgres.restore(
        {
          destination: { ...target, ...copy },
          mode,
          artifacts: incoming(taken, context),
          paths: [],
          skipConflicts: false,
          noOwner: true,
          expectedFacts: mode === 'merge' ? null : taken.facts,
          snapshot: SNAPSHOT,
          ...changes,
        },
        context,
      );

    const made = await restore('new');
    expect(rights()).toBe(LEFT);
    expect(made.warnings).toEqual([expect.stringMatching(/^role rr_gone is missing: left out /)]);
    const [told = ''] = made.warnings;
    for (const part of ['TABLE t', 'COLUMN t.b', 'FUNCTION secret()'])
      expect(told).toContain(`a part of ACL ${part} in schema s`);
    expect(told).toContain('a part of DEFAULT ACL DEFAULT PRIVILEGES FOR TABLES in schema s');
    expect(told).toMatch(/a part of ACL LARGE OBJECTS? 88/);
    expect(told).toContain(', ACL TABLE handed in schema s, ACL COLUMN handed.a in schema s');

    sqlOfCopy('DROP TABLE s.t; SELECT lo_unlink(88), lo_unlink(89)');
    const merged = await restore('merge');
    expect(rights()).toBe(LEFT);
    expect(merged.warnings.join()).toMatch(/a part of ACL TABLE t in schema s.*a part of ACL LARGE OBJECTS? 88/);
    expect(merged.warnings.join()).not.toContain('handed');

    sqlOfCopy('DROP TABLE s.t');
    const chosen = await restore('replace', { paths: ['s.t'], expectedFacts: null });
    expect(rights()).toBe(LEFT);
    expect(chosen.warnings.join()).toContain('a part of ACL TABLE t in schema s');
  });
});
