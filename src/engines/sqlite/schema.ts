import type { DatabaseSync } from 'node:sqlite';
import { quoteName } from './database.ts';

/** Name under which the artifact is attached during a merge. */
export const ARTIFACT = 'bkp_artifact';
export type Schema = 'main' | typeof ARTIFACT;

export interface Table {
  readonly name: string;
  /** `shadow` belongs to a virtual table. */
  readonly kind: 'table' | 'virtual' | 'shadow' | 'view';
  readonly isWithoutRowid: boolean;
}

export interface Column {
  readonly name: string;
  readonly isGenerated: boolean;
  readonly isNotNull: boolean;
  /** Position in the primary key from 1; 0 outside it. */
  readonly keyPosition: number;
}

export interface KeyColumn {
  readonly name: string;
  readonly collation: string;
}

export interface Key {
  readonly columns: readonly KeyColumn[];
  /** Rows with NULL in the key are not told apart by it. */
  readonly mayBeNull: boolean;
}

type Row = Record<string, unknown>;
const all = (database: DatabaseSync, sql: string, ...values: string[]): Row[] => database.prepare(sql).all(...values);
const sameName = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

/** All tables and views of a schema, SQLite's own left out. */
export function listTables(database: DatabaseSync, schema: Schema): readonly Table[] {
  const rows = all(
    database,
    "SELECT name, type, wr FROM pragma_table_list WHERE schema = ? AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
    schema,
  );
  return rows.map((row) => ({
    name: String(row['name']),
    kind: row['type'] as Table['kind'],
    isWithoutRowid: row['wr'] === 1,
  }));
}

/** Columns that can be read by name; hidden ones of virtual tables are left out. */
export function listColumns(database: DatabaseSync, schema: Schema, table: string): readonly Column[] {
  return all(database, 'SELECT * FROM pragma_table_xinfo(?, ?)', table, schema)
    .filter((row) => row['hidden'] !== 1)
    .map((row) => ({
      name: String(row['name']),
      isGenerated: row['hidden'] === 2 || row['hidden'] === 3,
      isNotNull: row['notnull'] === 1,
      keyPosition: Number(row['pk']),
    }));
}

export const findColumn = (columns: readonly Column[], name: string): Column | undefined =>
  columns.find((column) => sameName(column.name, name));

/** The primary key, else a unique index over plain columns that are never NULL; undefined for a table without a key. */
export function findKey(database: DatabaseSync, schema: Schema, table: Table): Key | undefined {
  const columns = listColumns(database, schema, table.name);
  const indexes = all(
    database,
    'SELECT * FROM pragma_index_list(?, ?) WHERE "unique" = 1 AND partial = 0',
    table.name,
    schema,
  );
  const primary = columns.filter((column) => column.keyPosition > 0);
  const primaryIndex = indexes.find((row) => row['origin'] === 'pk');
  // An integer primary key is the rowid itself: no index, never NULL.
  if (primary.length > 0 && primaryIndex === undefined) {
    return { columns: primary.map(({ name }) => ({ name, collation: 'BINARY' })), mayBeNull: false };
  }
  for (const index of primaryIndex === undefined ? indexes : [primaryIndex]) {
    const parts = all(database, 'SELECT * FROM pragma_index_xinfo(?, ?) WHERE key = 1', String(index['name']), schema);
    // No name: an expression.
    if (parts.some((part) => part['name'] === null)) continue;
    const key = parts.map((part) => ({ name: String(part['name']), collation: String(part['coll']) }));
    const isNotNull = key.every(({ name }) => findColumn(columns, name)?.isNotNull === true);
    if (primaryIndex === undefined && !isNotNull) continue;
    return { columns: key, mayBeNull: !isNotNull && !table.isWithoutRowid };
  }
  return undefined;
}

/** A name for the rowid that no column has taken; undefined when all are. */
export const rowidName = (columns: readonly Column[]): string | undefined =>
  ['rowid', '_rowid_', 'oid'].find((name) => findColumn(columns, name) === undefined);

/** `main."events"`. */
export const qualified = (schema: Schema, table: string): string => `${schema}.${quoteName(table)}`;
