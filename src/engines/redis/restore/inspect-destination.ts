import type { Context } from '../../../context.ts';
import { asProblem } from '../../as-problem.ts';
import type { Arrival, DestinationState } from '../../engine.ts';
import { inspectDataFolder } from '../file/file-places.ts';
import type { RedisTarget } from '../server/connection.ts';
import { connect } from '../server/session.ts';
import { describeContents, isOccupied, readContents } from './contents.ts';

/** Looks at the server, or the folder, that a restore would write to. */
export async function inspectRedisDestination(
  target: RedisTarget,
  context: Context,
  coming?: Arrival,
): Promise<DestinationState> {
  if (target.method === 'file') return inspectDataFolder(target, context, coming);
  try {
    const session = await connect(target, context);
    try {
      const contents = await readContents(session);
      const description = describeContents(contents);
      if (contents.interrupted !== null)
        return {
          state: 'empty',
          description: `${description}, which an interrupted restore of ${contents.interrupted} brought`,
          problems: [],
        };
      if (!isOccupied(contents)) return { state: 'empty', description, problems: [] };
      return { state: 'occupied', description, problems: [], replacedInPlace: true };
    } finally {
      session.close();
    }
  } catch (error) {
    const problems = [asProblem(error)];
    return { state: 'unsuitable', description: 'not reached', problems };
  }
}
