import type { Session } from '../server/connection.ts';
import { labelOf, type MergeTable, qualified, type RowRule, rowsOf } from './table.ts';
import { quoteIdentifier } from '../server/quote.ts';

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
  const rules = table.rules.filter((rule) => rule.columns.every((name) => columns.includes(name)));
  const allowed = [
    ...forbidden.map((key) => isAbsent(table, key)),
    ...rules.map(({ condition }) => `(${condition}) IS NOT FALSE`),
  ].map((condition) => `AND ${condition}`);
  const [result] = await session.query<{ readonly count: string }>(
    `WITH done AS (INSERT INTO ${qualified(table)} (${list}) OVERRIDING SYSTEM VALUE
       ${missing} ${allowed.join(' ')} ${table.mayIgnore ? 'ON CONFLICT DO NOTHING' : ''} RETURNING 1) SELECT count(*) FROM done`,
  );
  return { inserted: Number(result?.count ?? 0), conflicts: await conflictsOf(session, table, missing, rules) };
}

/** Rows that are missing still, by the first rule that each breaks; what is left clashes with rows that are there. */
async function conflictsOf(
  session: Session,
  table: MergeTable,
  missing: string,
  rules: readonly RowRule[],
): Promise<readonly string[]> {
  const counted = async (sql: string): Promise<number> =>
    Number((await session.query<{ readonly count: string }>(sql))[0]?.count ?? 0);
  const left = await counted(`SELECT count(*) FROM (${missing}) AS missing`);
  if (left === 0) return [];
  const cases = rules.map(({ condition }, index) => `WHEN (${condition}) IS FALSE THEN ${index}`);
  const broken =
    rules.length === 0
      ? []
      : await session.query<{ readonly at: number | null; readonly count: string }>(
          `SELECT CASE ${cases.join(' ')} END AS at, count(*) FROM (${missing}) AS missing GROUP BY 1 ORDER BY 1`,
        );
  const told = broken.flatMap(({ at, count }) => {
    const rule = at === null ? undefined : rules[at];
    return rule === undefined ? [] : [{ count: Number(count), breach: rule.breach }];
  });
  const clashing = left - told.reduce((sum, { count }) => sum + count, 0);
  const all =
    clashing === 0 ? told : [...told, { count: clashing, breach: 'breaks a rule of the table that is there' }];
  return all.map(({ count, breach }) => `${labelOf(table)}: ${rowsThat(count, breach)}`);
}

const rowsThat = (count: number, breach: string): string =>
  count === 1
    ? `1 row ${breach}`
    : `${count} rows ${breach
        .replace(/^lacks /, 'lack ')
        .replace(/^breaks /, 'break ')
        .replace(/^does /, 'do ')}`;

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
