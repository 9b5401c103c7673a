import type { Context } from '../../../context.ts';
import { asProblem } from '../../as-problem.ts';
import type { Arrival, DestinationState } from '../../engine.ts';
import type { MysqlTarget, Session } from '../server/connection.ts';
import { describeContents, liveState, readContents } from '../server/contents.ts';
import { connectPatiently } from '../server/patient-session.ts';
import { readServer } from '../server/server.ts';
import { readMark } from './mark.ts';
import { destinationProblems } from './preflight.ts';

/** Looks at a database that a restore would make or change. A server that cannot be asked is a problem, not an error. */
export async function inspectMysqlDestination(
  target: MysqlTarget,
  context: Context,
  coming?: Arrival,
): Promise<DestinationState> {
  let session: Session | undefined;
  try {
    session = await connectPatiently(target, context, null);
    const server = await readServer(session);
    const contents = target.database === '' ? null : await readContents(session, target.database);
    const isUnfinished = contents !== null && (await readMark(session, target.database)) !== null;
    const live = isUnfinished ? 'empty' : liveState(contents);
    const problems =
      target.database === '' ? [] : await destinationProblems(session, target, server, live, coming?.mode);
    if (contents === null) return { state: 'absent', description: 'no such database', problems };
    if (isUnfinished) return { state: 'empty', description: 'database of an unfinished restore', problems };
    if (live === 'empty') return { state: 'empty', description: 'empty database', problems };
    const how = coming?.mode === 'replace' ? NOT_AT_ONCE : '';
    return { state: 'occupied', description: `database with ${describeContents(contents)}${how}`, problems };
  } catch (error) {
    const problem = asProblem(error);
    return { state: 'absent', description: 'cannot be looked at', problems: [problem] };
  } finally {
    await session?.close();
  }
}

/** What a plan says of a replacement: applications may see the tables without what follows. */
const NOT_AT_ONCE = ' (its tables are exchanged at once; views, triggers, routines and events a moment later)';
