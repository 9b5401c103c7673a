import type { Problem } from '../../engine.ts';
import type { Session } from '../server/connection.ts';
import { named, namedRelations, relationsWhere } from '../server/named-relations.ts';
import { NOT_OF_EXTENSION } from '../server/not-of-extension.ts';
import { quoteIdentifier } from '../server/quote.ts';
import type { Selection } from './selection.ts';

/** Tables and sequences that a dump locks or reads: of the user's own, and those that extensions ask for. */
const READ = `c.relkind IN ('r', 'p', 'S') AND c.relpersistence <> 't'
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND ${NOT_OF_EXTENSION}`;

/** What would make a dump fail, or worse, pass for whole: told before it starts. */
export async function captureProblems(session: Session, selection: Selection | null): Promise<readonly Problem[]> {
  const leftOut = selection?.leftOut ?? [];
  const [who] = await session.query<{ readonly user: string; readonly standby: boolean }>(
    'SELECT current_user::text AS user, pg_catalog.pg_is_in_recovery() AS standby',
  );
  const user = quoteIdentifier(who?.user ?? '');
  const all = `\`GRANT pg_read_all_data TO ${user}\``;
  const hidden = await relationsWhere(
    session,
    leftOut,
    `${READ} AND c.relkind <> 'S' AND c.relrowsecurity AND pg_catalog.row_security_active(c.oid)`,
  );
  const schemas = await closedSchemas(session, leftOut);
  const closed = await relationsWhere(
    session,
    leftOut,
    `${READ} AND NOT (CASE c.relkind WHEN 'S' THEN pg_catalog.has_sequence_privilege(c.oid, 'SELECT')
      ELSE pg_catalog.has_table_privilege(c.oid, 'SELECT') END)`,
  );
  const objects = selection?.hasLargeObjects === false ? { ids: [], total: 0 } : await closedObjects(session);
  const unlogged =
    who?.standby === true ? await relationsWhere(session, leftOut, `${READ} AND c.relpersistence = 'u'`) : [];
  return [
    ...problem(
      namedRelations(hidden),
      'row-level security hides rows of',
      `let the user see all rows: \`ALTER ROLE ${user} BYPASSRLS\`, or connect as the owner`,
    ),
    ...problem(
      named(schemas),
      'the user may not use schema',
      `${all}, or ${grant('USAGE ON SCHEMA', schemas[0], user)}`,
    ),
    ...problem(namedRelations(closed), 'the user may not read', `${all}, or GRANT SELECT on each of them`),
    ...problem(
      named(objects.ids, objects.total),
      'the user may not read large object',
      `${grant('SELECT ON LARGE OBJECT', objects.ids[0], user)} and so on, or connect as their owner`,
    ),
    ...problem(
      namedRelations(unlogged),
      'a standby has no rows of unlogged',
      'capture them from the primary, or make them logged: ALTER TABLE … SET LOGGED',
    ),
  ];
}

const problem = (found: string, what: string, hint: string): readonly Problem[] =>
  found === '' ? [] : [{ message: `${what} ${found}`, hint }];

const grant = (what: string, on: string | undefined, user: string): string =>
  `\`GRANT ${what} ${on ?? ''} TO ${user}\``;

/** Schemas that hold something to be read and that are closed to the user; quoted. */
async function closedSchemas(session: Session, leftOut: readonly number[]): Promise<readonly string[]> {
  const rows = await session.query<{ readonly name: string }>(
    `SELECT DISTINCT n.nspname AS name FROM pg_catalog.pg_class c
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE ${READ} AND c.oid <> ALL ($1::oid[]) AND NOT pg_catalog.has_schema_privilege(n.oid, 'USAGE') ORDER BY 1`,
    [leftOut],
  );
  return rows.map(({ name }) => quoteIdentifier(name));
}

/** No role may read all of them, and no function of older servers tells the right. */
async function closedObjects(session: Session): Promise<{ readonly ids: readonly string[]; readonly total: number }> {
  const rows = await session.query<{ readonly id: string; readonly total: string }>(
    `SELECT oid::text AS id, count(*) OVER () AS total FROM pg_catalog.pg_largeobject_metadata
     WHERE NOT (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user)
       AND current_setting('lo_compat_privileges') = 'off'
       AND NOT EXISTS (
         SELECT FROM pg_catalog.aclexplode(coalesce(lomacl, pg_catalog.acldefault('L', lomowner)))
         WHERE privilege_type = 'SELECT' AND (grantee = 0 OR pg_catalog.pg_has_role(grantee, 'USAGE')))
     ORDER BY oid LIMIT 10`,
  );
  return { ids: rows.map(({ id }) => id), total: Number(rows[0]?.total ?? 0) };
}
