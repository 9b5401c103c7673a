import type { Context } from '../../../context.ts';
import { throwIfAborted } from '../../../errors.ts';
import type { RestoreOutcome } from '../../engine.ts';
import { countDatabase, readCharacterSet } from '../server/database-facts.ts';
import { dropDatabase, emptyDatabase, endSessions } from '../server/drop-objects.ts';
import { connectPatiently, steady } from '../server/patient-session.ts';
import { compareFacts } from './compare-facts.ts';
import { createStatement, fillAndCount, type ReadyRestore, restoredRows } from './fill.ts';
import { dropMark, writeMark } from './mark.ts';
import { isOfEvent, runDefinitions } from './run-definitions.ts';

/**
 * Fills a database that is absent or empty. It carries a mark until all of it is there and was counted, so that the next
 * restore clears away what a dead one left.
 */
export async function fillNew(
  ready: ReadyRestore,
  live: 'absent' | 'empty',
  context: Context,
): Promise<RestoreOutcome> {
  const { admin, request, facts, server } = ready;
  const { database } = request.destination;
  throwIfAborted(context.signal);
  if (live === 'absent') await admin.query(createStatement(database, facts));
  try {
    const drops = live === 'absent' ? 'database' : 'objects';
    await writeMark(admin, database, { destination: database, step: 'fill', drops });
    const filled = await fillAndCount(ready, database, context);
    await runDefinitions(admin, database, filled.definitions, isOfEvent);
    const { events } = await countDatabase(admin, database, 'definitions');
    compareFacts({ destination: database, foldsNames: server.foldsNames }, filled.facts, { events });
    throwIfAborted(context.signal);
    await dropMark(admin, database);
    const counted = { ...filled.facts, events, database: await readCharacterSet(admin, database) };
    return { facts: counted, restored: restoredRows(counted), keptOld: [], conflicts: [], warnings: [] };
  } catch (error) {
    await clear(ready, live, context);
    throw error;
  }
}

async function clear({ request }: ReadyRestore, live: 'absent' | 'empty', context: Context): Promise<void> {
  const { destination } = request;
  try {
    const session = await connectPatiently(destination, steady(context), null);
    try {
      await endSessions(session, destination.database);
      if (live === 'absent') await dropDatabase(session, destination.database);
      else await emptyDatabase(session, destination.database);
    } finally {
      await session.close();
    }
  } catch {
    context.emit({
      type: 'warning',
      message: `what was restored of database ${destination.database} could not be cleared away; the next restore does it`,
    });
  }
}
