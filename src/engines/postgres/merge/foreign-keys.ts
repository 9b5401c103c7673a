import type { Session } from '../server/connection.ts';
import { labelOf, type MergeTable, rowsOf } from './table.ts';
import { type ForeignKeyMatch, IS_WHOLE_KEY, isOrphan, MATCH_COLUMNS } from '../server/foreign-key-rows.ts';

interface ForeignKey extends ForeignKeyMatch {
  readonly parent: string;
}

/** Rows that this transaction wrote. */
const IS_NEW = `c.xmin::text = (pg_catalog.txid_current() & 4294967295)::text`;

/**
 * Takes rows out again that came back without the row they refer to; each round may leave others alone. Returns how many,
 * by table.
 */
export async function settleForeignKeys(
  session: Session,
  tables: readonly MergeTable[],
): Promise<ReadonlyMap<MergeTable, number>> {
  const keys = new Map<MergeTable, readonly ForeignKey[]>();
  for (const table of tables) keys.set(table, await readForeignKeys(session, table));
  const orphans = new Map<MergeTable, number>();
  for (let isSettled = false; !isSettled;) {
    isSettled = true;
    for (const [table, foreign] of keys) {
      for (const key of foreign) {
        const removed = await removeOrphans(session, table, key);
        if (removed === 0) continue;
        orphans.set(table, (orphans.get(table) ?? 0) + removed);
        isSettled = false;
      }
    }
  }
  return orphans;
}

export const orphanConflicts = (orphans: ReadonlyMap<MergeTable, number>): readonly string[] =>
  [...orphans].map(
    ([table, count]) =>
      `${labelOf(table)}: ${count} ${count === 1 ? 'row refers' : 'rows refer'} to rows that are not there`,
  );

async function readForeignKeys(session: Session, table: MergeTable): Promise<readonly ForeignKey[]> {
  return session.query<ForeignKey>(
    `SELECT CASE p.relkind WHEN 'p' THEN '' ELSE 'ONLY ' END || f.confrelid::pg_catalog.regclass::text AS parent,
       ${MATCH_COLUMNS}
     FROM pg_catalog.pg_constraint f JOIN pg_catalog.pg_class p ON p.oid = f.confrelid
     WHERE f.contype = 'f' AND f.conrelid = $1 AND ${IS_WHOLE_KEY}`,
    [table.oid],
  );
}

async function removeOrphans(session: Session, table: MergeTable, key: ForeignKey): Promise<number> {
  const orphans = `FROM ${rowsOf(table)} AS c WHERE ${IS_NEW} AND ${isOrphan(key, key.parent)}`;
  const [row] = await session.query<{ readonly count: string }>(`SELECT count(*) ${orphans}`);
  const count = Number(row?.count ?? 0);
  // A table that is published without a key refuses even to delete nothing.
  if (count > 0) await session.query(`DELETE ${orphans}`);
  return count;
}
