import type { Session } from '../server/connection.ts';

/** A column that takes values. */
export interface Column {
  readonly name: string;
  /** `varchar`, `float`, as the server calls it. */
  readonly type: string;
}

/** A unique index over whole columns. */
export interface UniqueKey {
  readonly name: string;
  readonly columns: readonly string[];
  /** No column of it may be NULL. */
  readonly isStrict: boolean;
}

export interface ForeignKey {
  readonly name: string;
  readonly table: string;
  readonly columns: readonly string[];
  readonly parentDatabase: string;
  readonly parent: string;
  readonly parentColumns: readonly string[];
}

/** Columns of all tables of a database, without those that are computed, in order. */
export async function readColumns(session: Session, database: string): Promise<ReadonlyMap<string, readonly Column[]>> {
  const rows = await session.query<Column & { readonly tableName: string }>(
    `SELECT TABLE_NAME AS tableName, COLUMN_NAME AS name, DATA_TYPE AS type FROM information_schema.COLUMNS
     WHERE TABLE_SCHEMA = ? AND COALESCE(GENERATION_EXPRESSION, '') = '' ORDER BY TABLE_NAME, ORDINAL_POSITION`,
    [database],
  );
  return grouped(rows, ({ tableName }) => tableName);
}

/** Unique keys of all tables, the primary ones first; those over parts of columns or expressions are left out. */
export async function readUniqueKeys(
  session: Session,
  database: string,
): Promise<ReadonlyMap<string, readonly UniqueKey[]>> {
  const rows = await session.query<{
    readonly tableName: string;
    readonly name: string;
    readonly columnName: string | null;
    readonly part: number | null;
    readonly nullable: string | null;
  }>(
    `SELECT TABLE_NAME AS tableName, INDEX_NAME AS name, COLUMN_NAME AS columnName, SUB_PART AS part, NULLABLE AS nullable
     FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = ? AND NON_UNIQUE = 0
     ORDER BY TABLE_NAME, INDEX_NAME <> 'PRIMARY', INDEX_NAME, SEQ_IN_INDEX`,
    [database],
  );
  const keys = new Map<string, readonly UniqueKey[]>();
  for (const [table, ofTable] of grouped(rows, ({ tableName }) => tableName)) {
    const whole = [...grouped(ofTable, ({ name }) => name)].filter(([, parts]) =>
      parts.every(({ columnName, part }) => columnName !== null && part === null),
    );
    keys.set(
      table,
      whole.map(([name, parts]) => ({
        name,
        columns: parts.map(({ columnName }) => columnName ?? ''),
        isStrict: parts.every(({ nullable }) => nullable !== 'YES'),
      })),
    );
  }
  return keys;
}

/** Foreign keys of all tables of a database. */
export async function readForeignKeys(session: Session, database: string): Promise<readonly ForeignKey[]> {
  const rows = await session.query<
    Readonly<Record<'tableName' | 'name' | 'columnName' | 'parentDatabase' | 'parent' | 'parentColumn', string>>
  >(
    `SELECT TABLE_NAME AS tableName, CONSTRAINT_NAME AS name, COLUMN_NAME AS columnName,
       REFERENCED_TABLE_SCHEMA AS parentDatabase, REFERENCED_TABLE_NAME AS parent, REFERENCED_COLUMN_NAME AS parentColumn
     FROM information_schema.KEY_COLUMN_USAGE WHERE TABLE_SCHEMA = ? AND REFERENCED_TABLE_NAME IS NOT NULL
     ORDER BY TABLE_NAME, CONSTRAINT_NAME, ORDINAL_POSITION`,
    [database],
  );
  return [...grouped(rows, ({ tableName, name }) => JSON.stringify([tableName, name])).values()].flatMap((parts) => {
    const [first] = parts;
    if (first === undefined) return [];
    const { name, tableName: table, parentDatabase, parent } = first;
    const columns = parts.map(({ columnName }) => columnName);
    return [
      { name, table, columns, parentDatabase, parent, parentColumns: parts.map(({ parentColumn }) => parentColumn) },
    ];
  });
}

function grouped<T>(rows: readonly T[], by: (row: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const row of rows) {
    const group = groups.get(by(row));
    if (group === undefined) groups.set(by(row), [row]);
    else group.push(row);
  }
  return groups;
}
