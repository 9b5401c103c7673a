import { BkpError, targetError } from '../../../errors.ts';
import type { Session } from '../server/connection.ts';
import { parseCopy, type ScriptPart } from '../script/copy-script.ts';
import { codeOf } from '../server/explain-error.ts';
import { labelOf, type MergeTable, rowsOf } from '../merge/table.ts';

/** A table without a key whose deletes are published refuses them. */
const REFUSED = '55000';

/** Takes all rows out of tables, whose triggers are silent; partitions that the archive does not know count. */
export async function deleteRows(session: Session, tables: readonly MergeTable[]): Promise<void> {
  for (const table of tables) {
    await session.query('SAVEPOINT bkp_delete');
    try {
      await session.query(`DELETE FROM ${rowsOf(table)}`);
      await session.query('RELEASE SAVEPOINT bkp_delete');
    } catch (error) {
      if (!(error instanceof BkpError) || codeOf(error.cause) !== REFUSED) throw error;
      await session.query('ROLLBACK TO SAVEPOINT bkp_delete');
      await session.query(`TRUNCATE ${rowsOf(table)}`);
    }
  }
}

/** Throws `target` where rows of the archive do not fit into the table that is there. */
export function assertFits(table: MergeTable, statement: string, database: string): void {
  const own = new Map(table.columns.map((column) => [column.name, column]));
  const lost = parseCopy(statement).columns.filter((name) => own.get(name)?.generated !== false);
  if (lost.length === 0) return;
  throw targetError(
    `cannot restore ${labelOf(table)} of database ${database}: its rows have columns that are not there any more, or are computed now: ${lost.join(', ')}`,
    { hint: 'nothing was changed; rename or drop the table that is there, and it is made again' },
  );
}

/** Copies rows as they are in the archive. */
export const copyRows = (
  session: Session,
  { statement, rows }: Extract<ScriptPart, { kind: 'copy' }>,
): Promise<number> => session.copyIn(statement.replace(/;$/, ''), rows);
