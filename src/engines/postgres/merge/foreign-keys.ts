import type { Session } from '../server/connection.ts';
import { labelOf, type MergeTable, rowsOf } from './table.ts';
import { quoteIdentifier } from '../server/quote.ts';

interface ForeignKey {
  readonly parent: string;
  readonly isFull: boolean;
  readonly pairs: readonly { readonly child: string; readonly parent: string; readonly operator: string }[];
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

/** Copies of a key for each partition of the table it refers to are left out: the key itself looks into all of them. */
async function readForeignKeys(session: Session, table: MergeTable): Promise<readonly ForeignKey[]> {
  return session.query<ForeignKey>(
    `SELECT CASE p.relkind WHEN 'p' THEN '' ELSE 'ONLY ' END || f.confrelid::pg_catalog.regclass::text AS parent,
       f.confmatchtype = 'f' AS "isFull",
       (SELECT pg_catalog.json_agg(pg_catalog.json_build_object('child', a.attname, 'parent', b.attname, 'operator',
          'OPERATOR(' || pg_catalog.quote_ident(s.nspname) || '.' || o.oprname || ')') ORDER BY k.at)
        FROM pg_catalog.generate_subscripts(f.conkey, 1) AS k (at)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = f.conkey[k.at]
        JOIN pg_catalog.pg_attribute b ON b.attrelid = f.confrelid AND b.attnum = f.confkey[k.at]
        JOIN pg_catalog.pg_operator o ON o.oid = f.conpfeqop[k.at]
        JOIN pg_catalog.pg_namespace s ON s.oid = o.oprnamespace) AS pairs
     FROM pg_catalog.pg_constraint f JOIN pg_catalog.pg_class p ON p.oid = f.confrelid
     WHERE f.contype = 'f' AND f.conrelid = $1 AND NOT EXISTS (
       SELECT FROM pg_catalog.pg_constraint u WHERE u.oid = f.conparentid AND u.conrelid = f.conrelid)`,
    [table.oid],
  );
}

async function removeOrphans(
  session: Session,
  table: MergeTable,
  { parent, isFull, pairs }: ForeignKey,
): Promise<number> {
  const nulls = pairs.map(({ child }) => `c.${quoteIdentifier(child)} IS NULL`);
  const match = pairs.map(
    ({ child, parent: to, operator }) => `p.${quoteIdentifier(to)} ${operator} c.${quoteIdentifier(child)}`,
  );
  const refers = isFull ? `NOT (${nulls.join(' AND ')})` : `NOT (${nulls.join(' OR ')})`;
  const orphans = `FROM ${rowsOf(table)} AS c WHERE ${IS_NEW} AND ${refers}
    AND NOT EXISTS (SELECT FROM ${parent} AS p WHERE ${match.join(' AND ')})`;
  const [row] = await session.query<{ readonly count: string }>(`SELECT count(*) ${orphans}`);
  const count = Number(row?.count ?? 0);
  // A table that is published without a key refuses even to delete nothing.
  if (count > 0) await session.query(`DELETE ${orphans}`);
  return count;
}
