import type { Context } from '../../../context.ts';
import { BkpError, targetError, throwIfAborted } from '../../../errors.ts';
import type { RestoreOutcome } from '../../engine.ts';
import { factsDifference } from '../../facts-difference.ts';
import { integrityError } from '../../../errors.ts';
import { dropSide } from '../restore/drop-side.ts';
import { createStatement, type ReadyRestore } from '../restore/fill.ts';
import type { FedDump } from '../restore/feed.ts';
import { feedDump } from '../restore/feed-dump.ts';
import { writeMark } from '../restore/mark.ts';
import { onlyDump } from '../restore/only-dump.ts';
import { readDefinitions } from '../restore/read-definitions.ts';
import { countDatabase } from '../server/database-facts.ts';
import { dropDatabase } from '../server/drop-objects.ts';
import { freeName, newSuffix } from '../server/names.ts';
import { addRows } from './add-rows.ts';
import { compareTables, type TableComparison } from './compare-tables.ts';
import { goneTables, makeGone, raiseAutoIncrements, raiseSequences } from './make-gone.ts';
import { makeMissingDefinitions } from './missing-definitions.ts';
import { makeMissingTable } from './missing-rows.ts';
import { bringTriggersBack, dropMade, type UnfinishedMerge } from './triggers-off.ts';

/**
 * Adds what a dump has and a database lacks: rows, in one transaction, then views, triggers, routines and events. The dump
 * is laid out in a database beside; meanwhile nothing is locked. While the rows go over, the tables are.
 */
export async function mergeMysql(ready: ReadyRestore, context: Context): Promise<RestoreOutcome> {
  const { admin, request, facts } = ready;
  const { database } = request.destination;
  throwIfAborted(context.signal);
  const side = await freeName(admin, database, newSuffix(request.snapshot));
  await admin.query(createStatement(side, facts));
  try {
    await writeMark(admin, side, { destination: database, step: 'fill', drops: 'database' });
    const dump = await layOut(ready, side, context);
    const outcome = await mergeFrom(ready, side, dump, context);
    await dropDatabase(admin, side);
    return outcome;
  } catch (error) {
    await dropSide(request.destination, side, context);
    throw error;
  }
}

/** Fills the database beside with tables and rows, and counts them. */
async function layOut(
  { admin, request, client, server }: ReadyRestore,
  side: string,
  context: Context,
): Promise<FedDump> {
  const { destination, noOwner, expectedFacts } = request;
  const artifact = onlyDump(request.artifacts);
  const isEncrypted = admin.isEncrypted;
  const feed = { artifact, target: destination, database: side, client, isEncrypted, noOwner, tablesOnly: true };
  const dump = await feedDump(feed, context);
  const { tables } = await countDatabase(admin, side);
  const expected = { tables: (expectedFacts ?? dump.facts)['tables'] ?? {} };
  const difference = server.foldsNames ? [] : factsDifference(expected, { tables });
  if (difference.length > 0)
    throw integrityError(
      `cannot restore database ${destination.database}: what came back is not what was captured: ${difference.slice(0, 5).join(', ')}`,
    );
  throwIfAborted(context.signal);
  return dump;
}

async function mergeFrom(ready: ReadyRestore, side: string, dump: FedDump, context: Context): Promise<RestoreOutcome> {
  const { admin, request, server } = ready;
  const { destination, skipConflicts } = request;
  const { database } = destination;
  const found = await compareTables(admin, side, database);
  if (found.conflicts.length > 0 && !skipConflicts) throw conflictError(database, found.conflicts);
  for (const table of found.both) await makeMissingTable(admin, table);
  const definitions = await readDefinitions(destination, server, admin.isEncrypted, context);
  const unfinished: UnfinishedMerge = { script: JSON.stringify(definitions), made: found.gone };
  throwIfAborted(context.signal);
  await writeMark(admin, side, { destination: database, step: 'triggers-off', ...unfinished });
  const added = await addAll(ready, side, found, unfinished, context);
  await writeMark(admin, side, { destination: database, step: 'done' });
  await raiseAutoIncrements(admin, side, database);
  await raiseSequences(admin, side, database, found.goneSequences);
  const unmade = await makeMissingDefinitions(admin, database, dump.definitions);
  return {
    facts: null,
    keptOld: [],
    restored: added.restored,
    conflicts: [...found.conflicts, ...added.conflicts, ...unmade],
    warnings: found.warnings,
  };
}

/** Rows of all tables or none; where that fails, triggers are there again and tables that were made are not. */
async function addAll(
  { admin, request }: ReadyRestore,
  side: string,
  found: TableComparison,
  unfinished: UnfinishedMerge,
  context: Context,
): Promise<Pick<RestoreOutcome, 'restored' | 'conflicts'>> {
  const { destination, skipConflicts } = request;
  const { database } = destination;
  try {
    await makeGone(admin, side, database, found.gone);
    const gone = await goneTables(admin, side, database, found.gone);
    return await addRows(admin, { destination, side, both: found.both, gone, unfinished, skipConflicts }, context);
  } catch (error) {
    await admin.query('ROLLBACK');
    await admin.query('SET SESSION autocommit = 1, foreign_key_checks = 1');
    await bringTriggersBack(admin, database, unfinished);
    await admin.query('UNLOCK TABLES');
    await dropMade(admin, database, found.gone);
    await writeMark(admin, side, { destination: database, step: 'done' });
    if (error instanceof BkpError && error.code === 'target' && !error.message.startsWith('cannot merge'))
      throw targetError(`cannot merge into database ${database}: ${error.message}`, { hint: error.hint, cause: error });
    throw error;
  }
}

const conflictError = (database: string, conflicts: readonly string[]): BkpError =>
  targetError(`cannot merge into database ${database}: ${conflicts.join('; ')}`, {
    hint: 'nothing was changed; `--skip-conflicts` leaves these rows out',
  });
