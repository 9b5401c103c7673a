import type { DatabaseSync } from 'node:sqlite';
import { quoteName } from './database.ts';
import { ARTIFACT, findColumn, findKey, type Key, listColumns, qualified, type Schema, type Table } from './schema.ts';

export interface TableMerge {
  readonly inserted: number;
  readonly conflicts: readonly string[];
}

const MOST_KEYS = 5;

/**
 * Brings back the rows of one table that are missing in the database: by key where there is one, else every row version
 * that occurs more often in the artifact. What is there is never touched; a row that breaks a rule of the table stays out.
 */
export function mergeTable(database: DatabaseSync, table: Table): TableMerge {
  const own = listColumns(database, 'main', table.name);
  const stored = listColumns(database, ARTIFACT, table.name).filter((column) => !column.isGenerated);
  const gone = stored.filter((column) => findColumn(own, column.name) === undefined);
  if (gone.length > 0) {
    const names = gone.map((column) => column.name).join(', ');
    return {
      inserted: 0,
      conflicts: [`table ${table.name}: its rows have columns that are not there any more: ${names}`],
    };
  }
  const columns = stored.map((column) => column.name).filter((name) => findColumn(own, name)?.isGenerated === false);
  const key = findKey(database, 'main', table);
  const isUsable = key?.columns.every((part) => columns.some((name) => name.toLowerCase() === part.name.toLowerCase()));
  const selects =
    key === undefined || isUsable !== true
      ? [missingVersions(table.name, columns, '')]
      : [
          missingKeys(table.name, columns, key),
          ...(key.mayBeNull ? [missingVersions(table.name, columns, `WHERE ${anyNull(key)}`)] : []),
        ];
  let inserted = 0;
  let left = 0;
  for (const select of selects) {
    const into = `INSERT OR IGNORE INTO ${qualified('main', table.name)} (${columns.map(quoteName).join(', ')})`;
    inserted += Number(database.prepare(`${into} ${select}`).run().changes);
    left += Number(database.prepare(`SELECT count(*) AS n FROM (${select})`).get()?.['n']);
  }
  if (left === 0) return { inserted, conflicts: [] };
  const which = key === undefined ? '' : listIntegerKeys(database, table.name, columns, key);
  const rows = left === 1 ? '1 row breaks' : `${left} rows break`;
  return { inserted, conflicts: [`table ${table.name}: ${rows} a rule of the table that is there${which}`] };
}

const anyNull = (key: Key): string => key.columns.map(({ name }) => `${quoteName(name)} IS NULL`).join(' OR ');

/** True for a row `m` of the database that has the key of row `a` of the artifact. */
export const sameKey = (key: Key, m: string, a: string): string =>
  key.columns
    .map(({ name, collation }) => `${m}.${quoteName(name)} = ${a}.${quoteName(name)} COLLATE ${quoteName(collation)}`)
    .join(' AND ');

function missingKeys(table: string, columns: readonly string[], key: Key): string {
  const list = columns.map((name) => `a.${quoteName(name)}`).join(', ');
  const hasKey = key.mayBeNull
    ? `NOT (${key.columns.map(({ name }) => `a.${quoteName(name)} IS NULL`).join(' OR ')}) AND `
    : '';
  return (
    `SELECT ${list} FROM ${qualified(ARTIFACT, table)} AS a WHERE ${hasKey}` +
    `NOT EXISTS (SELECT 1 FROM ${qualified('main', table)} AS m WHERE ${sameKey(key, 'm', 'a')})`
  );
}

/**
 * The multiset difference: copies of one row version are numbered on both sides, so that EXCEPT leaves those that are
 * missing. Versions are equal when each value has the same type and the same bytes.
 */
function missingVersions(table: string, columns: readonly string[], where: string): string {
  const exact = columns.flatMap((name) => [`${quoteName(name)} COLLATE BINARY`, `typeof(${quoteName(name)})`]);
  const side = (schema: Schema): string => {
    const values = exact.map((expression, at) => `${expression} AS ${at % 2 === 0 ? 'v' : 't'}${at >> 1}`);
    const copy = `row_number() OVER (PARTITION BY ${exact.join(', ')}) AS copy`;
    return `SELECT ${[...values, copy].join(', ')} FROM ${qualified(schema, table)} ${where}`;
  };
  return `SELECT ${columns.map((_, at) => `v${at}`).join(', ')} FROM (${side(ARTIFACT)} EXCEPT ${side('main')})`;
}

/** Numbers name a row without telling what is in it; other keys may be personal or secret and are left out. */
function listIntegerKeys(database: DatabaseSync, table: string, columns: readonly string[], key: Key): string {
  const [only] = key.columns;
  if (only === undefined || key.columns.length > 1) return '';
  const name = columns.find((column) => column.toLowerCase() === only.name.toLowerCase()) ?? only.name;
  const select = `SELECT ${quoteName(name)} AS id FROM (${missingKeys(table, columns, key)}) LIMIT ${MOST_KEYS + 1}`;
  const ids = database
    .prepare(select)
    .all()
    .map((row) => row['id']);
  if (ids.length === 0 || !ids.every((id) => typeof id === 'number')) return '';
  const more = ids.length > MOST_KEYS ? ', …' : '';
  return ` (${only.name} ${ids.slice(0, MOST_KEYS).join(', ')}${more})`;
}
