import type { Session } from './connection.ts';
import { labelOf, type MergeTable, qualified, rowsOf } from './merge-table.ts';
import { quoteIdentifier } from './quote.ts';

export interface MergedRows {
  readonly inserted: number;
  readonly conflicts: readonly string[];
}

const ROWS = 'pg_temp.bkp_rows';
/** For these the plan makes no difference. */
const FEW_ROWS = 1000;

/**
 * Brings back the rows of one table that are missing: by key where there is one, else every row version that occurs more
 * often in the archive. What is there is never touched; a row that another unique rule of the table forbids stays out.
 */
export async function mergeRows(
  session: Session,
  table: MergeTable,
  columns: readonly string[],
  rows: AsyncIterable<Buffer>,
): Promise<MergedRows> {
  const own = new Map(table.columns.map((column) => [column.name, column]));
  const gone = columns.filter((name) => !own.has(name));
  if (gone.length > 0) {
    const conflict = `${labelOf(table)}: its rows have columns that are not there any more: ${gone.join(', ')}`;
    return { inserted: 0, conflicts: [conflict] };
  }
  const list = columns.map(quoteIdentifier).join(', ');
  await session.query(`CREATE TEMP TABLE bkp_rows AS SELECT ${list} FROM ${qualified(table)} WITH NO DATA`);
  try {
    const written = columns.filter((name) => own.get(name)?.generated === false);
    const copy = `COPY ${ROWS}${columns.length === 0 ? '' : ` (${list})`} FROM STDIN`;
    const count = await session.copyIn(copy, rows);
    if (count > FEW_ROWS) await session.query(`ANALYZE ${ROWS}`);
    return count === 0 || written.length === 0
      ? { inserted: 0, conflicts: [] }
      : await insertMissing(session, table, written);
  } finally {
    await session.query(`DROP TABLE IF EXISTS ${ROWS}`).catch(() => undefined);
  }
}

async function insertMissing(session: Session, table: MergeTable, columns: readonly string[]): Promise<MergedRows> {
  const list = columns.map(quoteIdentifier).join(', ');
  const usable = table.key?.every(({ name }) => columns.includes(name)) === true ? table.key : null;
  const missing = usable === null ? missingVersions(table, columns) : missingKeys(table, usable, list);
  const checked = table.mayIgnore ? [] : table.uniqueKeys;
  const forbidden = checked.filter((key) => key.every(({ name }) => columns.includes(name)));
  const allowed = forbidden.map((key) => `AND ${isAbsent(table, key)}`).join(' ');
  const [result] = await session.query<{ readonly count: string }>(
    `WITH done AS (INSERT INTO ${qualified(table)} (${list}) OVERRIDING SYSTEM VALUE
       ${missing} ${allowed} ${table.mayIgnore ? 'ON CONFLICT DO NOTHING' : ''} RETURNING 1) SELECT count(*) FROM done`,
  );
  const [left] = await session.query<{ readonly count: string }>(`SELECT count(*) FROM (${missing}) AS missing`);
  const count = Number(left?.count ?? 0);
  const rows = count === 1 ? '1 row breaks' : `${count} rows break`;
  return {
    inserted: Number(result?.count ?? 0),
    conflicts: count === 0 ? [] : [`${labelOf(table)}: ${rows} a rule of the table that is there`],
  };
}

const isAbsent = (table: MergeTable, key: NonNullable<MergeTable['key']>): string =>
  `NOT EXISTS (SELECT FROM ${rowsOf(table)} AS m WHERE ${key
    .map(({ name, operator }) => `m.${quoteIdentifier(name)} ${operator} r.${quoteIdentifier(name)}`)
    .join(' AND ')})`;

const missingKeys = (table: MergeTable, key: NonNullable<MergeTable['key']>, list: string): string =>
  `SELECT ${list} FROM ${ROWS} AS r WHERE ${isAbsent(table, key)}`;

/** Copies of a row version are numbered, and those beyond the number that is there are missing. Versions are equal as text. */
function missingVersions(table: MergeTable, columns: readonly string[]): string {
  const list = columns.map(quoteIdentifier).join(', ');
  const text = `ROW(${list})::pg_catalog.text`;
  return `SELECT ${list} FROM (
      SELECT *, ${text} AS bkp_text, pg_catalog.row_number() OVER (PARTITION BY ${text}) AS bkp_copy FROM ${ROWS}) AS r
    LEFT JOIN (SELECT ${text} AS bkp_text, count(*) AS bkp_count FROM ${rowsOf(table)} GROUP BY 1) AS t USING (bkp_text)
    WHERE r.bkp_copy > coalesce(t.bkp_count, 0)`;
}
