import { type BkpError, targetError } from '../../../errors.ts';
import type { PostgresTarget, Session } from '../server/connection.ts';
import type { Section } from '../script/sections.ts';
import { tableKey } from '../server/table-key.ts';

const MOST_NAMED = 10;

/** Throws `target` where the database has tables that no definition names: nothing would bring their rows back. */
export async function assertNoOtherTables(
  session: Session,
  definitions: readonly Section[],
  target: PostgresTarget,
): Promise<void> {
  const known = new Set(
    definitions.flatMap(({ type, schema, name }) => (type === 'TABLE' ? [tableKey(schema, name)] : [])),
  );
  const rows = await session.query<{ readonly schema: string; readonly name: string }>(
    `SELECT n.nspname AS schema, c.relname AS name FROM pg_catalog.pg_class c
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
         AND d.objid = c.oid AND d.deptype = 'e')
     ORDER BY 1, 2`,
  );
  const others = rows.map(({ schema, name }) => tableKey(schema, name)).filter((key) => !known.has(key));
  if (others.length > 0) throw unknownError(target, others.length === 1 ? 'table' : 'tables', others);
}

/** The same for large objects, by what the archive has brought. */
export async function assertNoOtherObjects(
  session: Session,
  named: ReadonlySet<string>,
  target: PostgresTarget,
): Promise<void> {
  const rows = await session.query<{ readonly oid: string }>(
    'SELECT oid::text FROM pg_catalog.pg_largeobject_metadata WHERE oid::text <> ALL ($1) ORDER BY 1',
    [[...named]],
  );
  if (rows.length === 0) return;
  const oids = rows.map(({ oid }) => oid);
  throw unknownError(target, oids.length === 1 ? 'large object' : 'large objects', oids);
}

/** What is there and not in the snapshot. */
const unknownError = ({ database }: PostgresTarget, what: string, names: readonly string[]): BkpError =>
  targetError(
    `cannot replace database ${database} in place: the snapshot does not have ${what} ${names.slice(0, MOST_NAMED).join(', ')}${
      names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} more` : ''
    }`,
    {
      hint: 'nothing was changed; drop or move that, or let the user set the database aside: make it its owner with CREATEDB',
    },
  );
