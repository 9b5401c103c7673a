import type { DatabaseSync } from 'node:sqlite';
import { targetError } from '../../errors.ts';
import { quoteName } from './database.ts';
import { findKey, type Key, listColumns, listTables, qualified, rowidName, type Table } from './schema.ts';
import { sameKey } from './merge-table.ts';

/** Rows whose parent is missing: rowids per table, and a bare count per table that has no rowid. */
export interface Violations {
  readonly rows: ReadonlyMap<string, ReadonlySet<bigint>>;
  readonly counts: ReadonlyMap<string, number>;
}

/** Every row of the database whose foreign key leads nowhere. */
export function findViolations(database: DatabaseSync): Violations {
  const rows = new Map<string, Set<bigint>>();
  const counts = new Map<string, number>();
  const statement = database.prepare(
    'SELECT "table" AS name, rowid AS id FROM pragma_foreign_key_check(NULL, \'main\')',
  );
  statement.setReadBigInts(true);
  for (const row of statement.iterate()) {
    const name = String(row['name']);
    if (row['id'] === null) counts.set(name, (counts.get(name) ?? 0) + 1);
    else rows.set(name, (rows.get(name) ?? new Set()).add(row['id'] as bigint));
  }
  return { rows, counts };
}

/** What is in `now` and was not in `before`, per table. */
export function newViolations(before: Violations, now: Violations): Violations {
  const rows = new Map<string, ReadonlySet<bigint>>();
  for (const [name, ids] of now.rows) {
    const known = before.rows.get(name);
    const added = new Set([...ids].filter((id) => known?.has(id) !== true));
    if (added.size > 0) rows.set(name, added);
  }
  const counts = new Map<string, number>();
  for (const [name, count] of now.counts) {
    const added = count - (before.counts.get(name) ?? 0);
    if (added > 0) counts.set(name, added);
  }
  return { rows, counts };
}

/** Remembers which keys a table without rowids had, so that rows added later can be found. */
export function rememberKeys(database: DatabaseSync, table: Table): void {
  const key = findKey(database, 'main', table);
  if (key === undefined) return;
  const columns = key.columns.map(({ name }) => quoteName(name)).join(', ');
  const memory = memoryOf(table.name);
  database.exec(`CREATE TEMP TABLE ${memory} AS SELECT ${columns} FROM ${qualified('main', table.name)}`);
  database.exec(
    `CREATE INDEX temp.${quoteName(`bkp_index_${table.name}`)} ON ${quoteName(`bkp_before_${table.name}`)} (${columns})`,
  );
}

/** Takes rows out again that were added and violate a foreign key; returns how many. */
export function removeViolating(database: DatabaseSync, table: Table, added: Violations): number {
  if (!table.isWithoutRowid) {
    const rowid = rowidName(listColumns(database, 'main', table.name));
    if (rowid === undefined)
      throw targetError(`cannot merge table ${table.name}: its columns hide the ids of its rows`);
    const remove = database.prepare(`DELETE FROM ${qualified('main', table.name)} WHERE ${rowid} = ?`);
    const ids = added.rows.get(table.name) ?? new Set();
    for (const id of ids) remove.run(id);
    return ids.size;
  }
  const key = findKey(database, 'main', table);
  if (key === undefined || !added.counts.has(table.name)) return 0;
  return orphanConditions(database, table, key).reduce(
    (sum, condition) =>
      sum +
      Number(database.prepare(`DELETE FROM ${qualified('main', table.name)} AS m WHERE ${condition}`).run().changes),
    0,
  );
}

const memoryOf = (table: string): string => `temp.${quoteName(`bkp_before_${table}`)}`;

/** One condition per foreign key: a row `m` that was added, refers to something, and finds nothing. */
function orphanConditions(database: DatabaseSync, table: Table, key: Key): readonly string[] {
  const rows = database.prepare('SELECT * FROM pragma_foreign_key_list(?, ?) ORDER BY id, seq').all(table.name, 'main');
  const byId = Map.groupBy(rows, (row) => Number(row['id']));
  const parents = listTables(database, 'main');
  const isAdded = `NOT EXISTS (SELECT 1 FROM ${memoryOf(table.name)} AS b WHERE ${sameKey(key, 'm', 'b')})`;
  return [...byId.values()].map((parts) => {
    const parent = String(parts[0]?.['table']);
    const isThere = parents.some(({ name, kind }) => kind === 'table' && name.toLowerCase() === parent.toLowerCase());
    const refers = parts.map((part) => `m.${quoteName(String(part['from']))} IS NOT NULL`).join(' AND ');
    if (!isThere) return `${isAdded} AND ${refers}`;
    const parentKey = findKey(database, 'main', { name: parent, kind: 'table', isWithoutRowid: false });
    const match = parts.map((part, at) => {
      const to = part['to'] === null ? (parentKey?.columns[at]?.name ?? 'rowid') : String(part['to']);
      return `p.${quoteName(to)} = m.${quoteName(String(part['from']))}`;
    });
    const found = `EXISTS (SELECT 1 FROM ${qualified('main', parent)} AS p WHERE ${match.join(' AND ')})`;
    return `${isAdded} AND ${refers} AND NOT ${found}`;
  });
}
