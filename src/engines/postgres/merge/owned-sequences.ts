import { type ChosenPaths, keyOf } from '../script/chosen-paths.ts';
import type { Session } from '../server/connection.ts';
import type { MergeTable } from './table.ts';
import type { Section } from '../script/sections.ts';
import { tableKey } from '../server/table-key.ts';

/** Keys of the sequences whose values go along with what was chosen: chosen themselves, made just now, or of
 * tables that are there. */
export async function sequencesOf(
  session: Session,
  { all, choice }: ChosenPaths,
  made: readonly Section[],
  tables: readonly MergeTable[],
): Promise<ReadonlySet<string>> {
  const chosen = all.filter(({ id }) => choice.relations.has(id));
  const named = [...chosen, ...made].filter(({ type }) => type === 'SEQUENCE');
  const owned = await session.query<{ readonly schema: string; readonly name: string }>(
    `SELECT n.nspname AS schema, c.relname AS name FROM pg_catalog.pg_depend d
     JOIN pg_catalog.pg_class c ON c.oid = d.objid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refclassid = d.classid AND c.relkind = 'S'
       AND d.deptype IN ('a', 'i') AND d.refobjid = ANY ($1::pg_catalog.oid[])`,
    [tables.map(({ oid }) => oid)],
  );
  return new Set([...named.map(keyOf), ...owned.map(({ schema, name }) => tableKey(schema, name))]);
}
