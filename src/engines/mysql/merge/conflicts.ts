import type { Session } from '../server/connection.ts';
import { qualified, quoteIdentifier } from '../server/quote.ts';
import { type MergeTable, sameIn } from './compare-tables.ts';
import type { ForeignKey } from './tables.ts';

/** Rows that cannot come back, one clause for each reason; they are taken out of those that do. */
export async function settleConflicts(
  session: Session,
  tables: readonly MergeTable[],
  foreignKeys: readonly ForeignKey[],
  database: string,
): Promise<readonly string[]> {
  const counts = new Map<string, number>();
  const note = (clause: string, rows: number): void => {
    if (rows > 0) counts.set(clause, (counts.get(clause) ?? 0) + rows);
  };
  for (const { name, live, missing, otherKeys } of tables)
    for (const key of otherKeys) {
      if (!(await hasRows(session, missing))) break;
      const rows = await session.change(
        `DELETE ${missing} FROM ${missing} JOIN ${live} ON ${sameIn(missing, key.columns, live)}`,
      );
      note(`of table ${name}: another row has the same ${key.columns.join(', ')}`, rows);
    }
  const byName = new Map(tables.map((table) => [table.name, table]));
  for (let isSettled = false; !isSettled;) {
    isSettled = true;
    for (const key of foreignKeys) {
      const child = byName.get(key.table);
      if (child === undefined || !(await hasRows(session, child.missing))) continue;
      const rows = await session.change(orphans(child, key, database, byName.get(key.parent)));
      if (rows > 0) isSettled = false;
      note(`of table ${key.table}: what ${key.columns.join(', ')} refers to in ${key.parent} is not there`, rows);
    }
  }
  return [...counts].map(([clause, rows]) => `${rows} ${rows === 1 ? 'row' : 'rows'} ${clause}`);
}

export async function hasRows(session: Session, table: string): Promise<boolean> {
  return (await session.query(`SELECT 1 FROM ${table} LIMIT 1`)).length > 0;
}

/** Deletes missing rows whose parent neither is there nor comes back. */
function orphans(child: MergeTable, key: ForeignKey, database: string, parent: MergeTable | undefined): string {
  const { missing } = child;
  const isSet = key.columns.map((name) => `${missing}.${quoteIdentifier(name)} IS NOT NULL`).join(' AND ');
  const live = qualified(key.parentDatabase, key.parent);
  const places = [live, ...(parent !== undefined && key.parentDatabase === database ? [parent.missing] : [])];
  const [first = ''] = key.parentColumns;
  // A table cannot be deleted from and looked at twice: the rows of its own that come back are copied first.
  const own = `(SELECT ${key.parentColumns.map((one) => quoteIdentifier(one)).join(', ')} FROM ${missing} ${child.ownAlias}) own`;
  const seen = places.map((place) => (place === missing ? 'own' : place));
  const joins = places.map((place, index) => {
    const name = seen[index] ?? place;
    return `LEFT JOIN ${place === missing ? own : place} ON ${sameIn(missing, key.columns, name, key.parentColumns)}`;
  });
  const none = seen.map((name) => `${name}.${quoteIdentifier(first)} IS NULL`).join(' AND ');
  return `DELETE ${missing} FROM ${missing} ${joins.join(' ')} WHERE ${isSet} AND ${none}`;
}
