import type { Context } from '../../../context.ts';
import { throwIfAborted } from '../../../errors.ts';
import type { RestoreOutcome } from '../../engine.ts';
import type { Session } from '../server/connection.ts';
import { compareWhole, restoredDocuments, type ComparedPlaces } from './compare.ts';
import { fillPlaces } from './fill.ts';
import type { Prepared } from './restore.ts';

/**
 * Restores where nothing is, under the names that stay: what cannot be renamed, and what an oplog is replayed on. Whatever
 * fails, the databases are dropped again.
 */
export async function fillDirectly(prepared: Prepared, session: Session, context: Context): Promise<RestoreOutcome> {
  const { places } = prepared;
  try {
    await fillPlaces(prepared, context);
    const compared: ComparedPlaces = await compareWhole(prepared, session);
    throwIfAborted(context.signal);
    const restored = restoredDocuments(compared.facts);
    return { facts: { ...compared.facts }, keptOld: [], restored, conflicts: [], warnings: [] };
  } catch (error) {
    for (const { database } of places)
      await session
        .in(database, (db) => db.dropDatabase())
        .catch(() => context.emit({ type: 'warning', message: `database ${database} is incomplete: drop it` }));
    throw error;
  }
}
