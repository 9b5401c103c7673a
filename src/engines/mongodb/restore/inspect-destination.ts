import type { Context } from '../../../context.ts';
import { BkpError } from '../../../errors.ts';
import type { DestinationState } from '../../engine.ts';
import { listCollections, type LiveCollection } from '../server/collections.ts';
import { connect, type Session } from '../server/connection.ts';
import type { MongodbTarget } from '../server/uri.ts';

/** Looks at a database that a restore would make or change. A server that cannot be asked is a problem, not an error. */
export async function inspectMongodbDestination(target: MongodbTarget, context: Context): Promise<DestinationState> {
  let session: Session | undefined;
  try {
    session = await connect(target, context);
    const live = await listCollections(session, target.database);
    if (live.length === 0) return { state: 'absent', description: 'no such database', problems: [] };
    return { state: 'occupied', description: `database with ${describeCollections(live)}`, problems: [] };
  } catch (error) {
    if (!(error instanceof BkpError) || error.code === 'interrupted') throw error;
    const problem = { message: error.message, hint: error.hint };
    return { state: 'absent', description: 'cannot be looked at', problems: [problem] };
  } finally {
    await session?.close();
  }
}

/** `12 collections`. */
export const describeCollections = (live: readonly LiveCollection[]): string =>
  `${live.length.toLocaleString('en')} ${live.length === 1 ? 'collection' : 'collections'}`;
