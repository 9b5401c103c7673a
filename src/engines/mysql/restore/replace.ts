import type { Context } from '../../../context.ts';
import { reasonOf, throwIfAborted } from '../../../errors.ts';
import type { RestoreOutcome } from '../../engine.ts';
import type { ScriptStatement } from '../dump/definitions.ts';
import { countDatabase, readCharacterSet } from '../server/database-facts.ts';
import { dropDatabase } from '../server/drop-objects.ts';
import { freeName, newSuffix, oldSuffix } from '../server/names.ts';
import { quoteIdentifier } from '../server/quote.ts';
import { lockTimeoutSeconds } from '../server/settings.ts';
import { dropSide } from './drop-side.ts';
import { compareFacts } from './compare-facts.ts';
import {
  characterSetClause,
  createStatement,
  fillAndCount,
  type Filled,
  type ReadyRestore,
  restoredRows,
} from './fill.ts';
import { writeMark } from './mark.ts';
import { readDefinitions } from './read-definitions.ts';
import { isDefinition, isOfEvent, runDefinitions, withSleepingEvents } from './run-definitions.ts';
import { countMoving, dropDefinitions, renameTables, type UnfinishedSwap, undoSwap } from './swap.ts';

/**
 * Builds the captured database under another name, counts and checks it, and lets its tables take the place of the old
 * ones, all in one step. Views, triggers, routines and events follow one by one: the server knows no other way.
 */
export async function replaceBeside(ready: ReadyRestore, context: Context): Promise<RestoreOutcome> {
  const { admin, request, facts } = ready;
  const { destination, snapshot } = request;
  const { database } = destination;
  throwIfAborted(context.signal);
  const side = await freeName(admin, database, newSuffix(snapshot));
  await admin.query(createStatement(side, facts));
  try {
    await writeMark(admin, side, { destination: database, step: 'fill', drops: 'database' });
    const filled = await fillAndCount(ready, side, context);
    const script = await readDefinitions(destination, ready.server, admin.isEncrypted, context);
    const old = await freeName(admin, database, oldSuffix(snapshot));
    throwIfAborted(context.signal);
    const warnings = await swap(ready, filled, { side, old, script }, context);
    await dropDatabase(admin, side);
    return {
      facts: { ...filled.facts, database: await readCharacterSet(admin, database) },
      restored: restoredRows(filled.facts),
      keptOld: [{ type: 'mysql', reference: old }],
      conflicts: [],
      warnings,
    };
  } catch (error) {
    await dropSide(destination, side, context);
    throw error;
  }
}

interface Names {
  readonly side: string;
  readonly old: string;
  /** What makes the definitions of the old database. */
  readonly script: readonly ScriptStatement[];
}

/** From here on an abort waits: half of a swap would be worse. What fails is put back. */
async function swap(
  ready: ReadyRestore,
  filled: Filled,
  { side, old, script }: Names,
  context: Context,
): Promise<readonly string[]> {
  const { admin, request, server } = ready;
  const { database } = request.destination;
  const before = await readCharacterSet(admin, database);
  await admin.query(createStatement(old, { database: before }));
  const arriving = await countMoving(admin, side);
  const unfinished: UnfinishedSwap = { side, database, old, arriving, script: JSON.stringify(script) };
  await writeMark(admin, side, { destination: database, step: 'swap', old, arriving, script: unfinished.script });
  try {
    await admin.query(`SET SESSION lock_wait_timeout = ${lockTimeoutSeconds(request.destination)}`);
    await dropDefinitions(admin, database);
    await dropDefinitions(admin, side);
    await renameTables(admin, { side, database, old });
    const clause = characterSetClause(ready.facts);
    if (clause !== '') await admin.query(`ALTER DATABASE ${quoteIdentifier(database)}${clause}`);
    await runDefinitions(admin, database, filled.definitions, isDefinition);
    const { tables: _counted, ...others } = await countDatabase(admin, database, 'definitions');
    compareFacts({ destination: database, foldsNames: server.foldsNames }, filled.facts, others);
    await writeMark(admin, side, { destination: database, step: 'done' });
  } catch (error) {
    await undoSwap(admin, unfinished);
    await writeMark(admin, side, { destination: database, step: 'done' });
    if (before !== null)
      await admin.query(`ALTER DATABASE ${quoteIdentifier(database)}${characterSetClause({ database: before })}`);
    throw error;
  }
  return keepDefinitions(admin, old, script, context);
}

/** The old database gets its views, triggers and routines back, and its events asleep. */
async function keepDefinitions(
  admin: ReadyRestore['admin'],
  old: string,
  script: readonly ScriptStatement[],
  context: Context,
): Promise<readonly string[]> {
  try {
    await runDefinitions(
      admin,
      old,
      withSleepingEvents(script).filter((one) => !isOfEvent(one) || one.kind === 'event'),
      isDefinition,
    );
    return [];
  } catch (error) {
    throwIfAborted(context.signal);
    return [
      `the old database ${old} has its tables, but not all of its views, triggers, routines and events: ${reasonOf(error)}`,
    ];
  }
}
