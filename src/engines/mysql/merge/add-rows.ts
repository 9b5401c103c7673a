import type { Context } from '../../../context.ts';
import { targetError, throwIfAborted } from '../../../errors.ts';
import type { RestoreOutcome } from '../../engine.ts';
import type { MysqlTarget, Session } from '../server/connection.ts';
import { qualified } from '../server/quote.ts';
import { lockTimeoutSeconds } from '../server/settings.ts';
import { columnList, type MergeTable } from './compare-tables.ts';
import { hasRows, settleConflicts } from './conflicts.ts';
import { gatherMissing } from './missing-rows.ts';
import { type ForeignKey, readForeignKeys } from './tables.ts';
import { bringTriggersBack, takeTriggersOff, type UnfinishedMerge } from './triggers-off.ts';

export interface RowsToAdd {
  readonly destination: MysqlTarget;
  readonly side: string;
  readonly both: readonly MergeTable[];
  /** Made anew: all of their rows are missing. */
  readonly gone: readonly MergeTable[];
  readonly unfinished: UnfinishedMerge;
  readonly skipConflicts: boolean;
}

/**
 * Gathers what is missing and adds it in one transaction, with the tables locked for everybody else and their triggers
 * away. Foreign keys are checked before the rows go in.
 */
export async function addRows(
  session: Session,
  { destination, both, gone, unfinished, skipConflicts }: RowsToAdd,
  context: Context,
): Promise<Pick<RestoreOutcome, 'restored' | 'conflicts'>> {
  const { database } = destination;
  const tables = [...both, ...gone];
  const foreignKeys = await readForeignKeys(session, database);
  await session.query(`SET SESSION lock_wait_timeout = ${lockTimeoutSeconds(destination)}`);
  await session.query('SET SESSION autocommit = 0, foreign_key_checks = 0');
  if (tables.length > 0) await session.query(`LOCK TABLES ${locks(tables, foreignKeys).join(', ')}`);
  await takeTriggersOff(session, database);
  for (const table of both) await gatherMissing(session, table);
  const conflicts = await settleConflicts(session, tables, foreignKeys, database);
  if (conflicts.length > 0 && !skipConflicts)
    throw targetError(`cannot merge into database ${database}: ${conflicts.join('; ')}`, {
      hint: 'nothing was changed; `--skip-conflicts` leaves these rows out',
    });
  await session.query('COMMIT');
  throwIfAborted(context.signal);
  const restored: Record<string, number> = {};
  // What cannot be taken back comes last.
  for (const table of tables.toSorted((a, b) => Number(b.isTransactional) - Number(a.isTransactional))) {
    if (!(await hasRows(session, table.missing))) continue;
    const list = columnList(table.columns);
    restored[`table ${table.name}`] = await session.change(
      `INSERT INTO ${table.live} (${list}) SELECT ${list} FROM ${table.missing}`,
    );
  }
  throwIfAborted(context.signal);
  await session.query('COMMIT');
  await bringTriggersBack(session, database, unfinished);
  await session.query('UNLOCK TABLES');
  await session.query('SET SESSION autocommit = 1, foreign_key_checks = 1');
  return { restored, conflicts };
}

function locks(tables: readonly MergeTable[], foreignKeys: readonly ForeignKey[]): readonly string[] {
  const written = new Set(tables.flatMap(({ live, missing }) => [live, missing]));
  const read = new Set(
    [
      ...tables.map(({ staged }) => staged),
      ...foreignKeys.map(({ parentDatabase, parent }) => qualified(parentDatabase, parent)),
    ].filter((name) => !written.has(name)),
  );
  const own = tables
    .filter(({ name }) => foreignKeys.some(({ table, parent }) => table === name && parent === name))
    .map(({ missing, ownAlias }) => `${missing} AS ${ownAlias} READ`);
  return [...[...written].map((name) => `${name} WRITE`), ...[...read].map((name) => `${name} READ`), ...own];
}
