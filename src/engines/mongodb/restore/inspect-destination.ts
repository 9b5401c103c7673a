import type { Context } from '../../../context.ts';
import { asProblem } from '../../as-problem.ts';
import type { Arrival, DestinationState } from '../../engine.ts';
import { listCollections, listDatabases } from '../server/collections.ts';
import { connect, type Session } from '../server/connection.ts';
import type { MongodbTarget } from '../server/uri.ts';
import { describeCollections } from './places.ts';

/** Looks at a database, or at all of them, that a restore would make or change. A server that cannot be asked is a problem, not an error. */
export async function inspectMongodbDestination(
  target: MongodbTarget,
  context: Context,
  coming?: Arrival,
): Promise<DestinationState> {
  let session: Session | undefined;
  try {
    session = await connect(target, context);
    const { database } = target;
    if (database === undefined) return await inspectServer(session, coming);
    const live = await listCollections(session, database);
    if (live.length === 0) return { state: 'absent', description: 'no such database', problems: [] };
    return { state: 'occupied', description: `database with ${describeCollections(live)}`, problems: [] };
  } catch (error) {
    const problem = asProblem(error);
    return { state: 'absent', description: 'cannot be looked at', problems: [problem] };
  } finally {
    await session?.close();
  }
}

/** Which of its databases will come is not known before the archive is read; where one is in the way, that refuses it. */
async function inspectServer(session: Session, coming: Arrival | undefined): Promise<DestinationState> {
  const names = await listDatabases(session);
  const description = `server with ${names.length} ${names.length === 1 ? 'database' : 'databases'}`;
  const state = names.length === 0 || coming?.mode === 'new' ? 'empty' : 'occupied';
  return { state, description, problems: [] };
}
