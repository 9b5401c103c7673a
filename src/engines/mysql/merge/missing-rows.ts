import type { Session } from '../server/connection.ts';
import { quoteIdentifier } from '../server/quote.ts';
import { columnList, columnsOf, type MergeTable, sameIn } from './compare-tables.ts';
import type { Column } from './tables.ts';

/** Makes the table that takes the missing rows: like the captured one, without foreign keys. */
export async function makeMissingTable(session: Session, { staged, missing }: MergeTable): Promise<void> {
  await session.query(`CREATE TABLE ${missing} LIKE ${staged}`);
}

/** Gathers the rows that are not there: by key, or as often as all of a row is missing. */
export async function gatherMissing(session: Session, table: MergeTable): Promise<void> {
  const { live, staged, missing, columns, key } = table;
  const list = columnList(columns);
  if (key !== null) {
    const [first = ''] = key.columns;
    await session.query(
      `INSERT INTO ${missing} (${list}) SELECT ${columnsOf(staged, columns)} FROM ${staged}
       LEFT JOIN ${live} ON ${sameIn(staged, key.columns, live)} WHERE ${live}.${quoteIdentifier(first)} IS NULL`,
    );
    return;
  }
  const sign = signature(columns);
  await session.query(
    `INSERT INTO ${missing} (${list}) SELECT ${columnsOf('captured', columns)} FROM
       (SELECT ${list}, ${sign} AS _bkp_sign, ROW_NUMBER() OVER (PARTITION BY ${sign}) AS _bkp_nth FROM ${staged}) captured
     LEFT JOIN (SELECT ${sign} AS _bkp_sign, COUNT(*) AS _bkp_times FROM ${live} GROUP BY 1) present
       ON present._bkp_sign = captured._bkp_sign
     WHERE captured._bkp_nth > COALESCE(present._bkp_times, 0)`,
  );
}

/** Text and bytes count as they are, whatever their collation; FLOAT as a dump has it. */
const AS_BYTES = /char|text|blob|binary|enum|set|bit|geometry|point|linestring|polygon|vector/i;

const signature = (columns: readonly Column[]): string => {
  const parts = columns.map(({ name, type }) => {
    const column = quoteIdentifier(name);
    return `COALESCE(HEX(${AS_BYTES.test(type) ? column : `CAST(${column} AS CHAR)`}), 'N')`;
  });
  return `SHA2(CONCAT_WS(',', ${parts.join(', ')}), 256)`;
};
