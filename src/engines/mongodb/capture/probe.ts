import type { Context } from '../../../context.ts';
import { asProblem } from '../../as-problem.ts';
import type { Probe } from '../../engine.ts';
import { connect, type Session } from '../server/connection.ts';
import { findMongoTool } from '../server/tools.ts';
import type { MongodbTarget } from '../server/uri.ts';
import { lookAtSource, type Source } from './source.ts';

/** Looks at a database: reachable, tools that run, what a backup leaves out, its size. */
export async function probeMongodb(target: MongodbTarget, context: Context): Promise<Probe> {
  let session: Session | undefined;
  let source: Source | undefined;
  try {
    session = await connect(target, context);
    source = await lookAtSource(session, target);
    const tool = await findMongoTool('mongodump', target, context);
    const { problems, warnings } = source;
    const versions = {
      server: `MongoDB ${source.server.version}`,
      tool: tool.version === null ? 'mongodump' : `mongodump ${tool.version}`,
    };
    return { versions, estimatedBytes: source.bytes, problems, warnings };
  } catch (error) {
    const problems = [asProblem(error)];
    const versions = { server: source?.server.version ?? null, tool: null };
    return { versions, estimatedBytes: null, problems, warnings: [] };
  } finally {
    await session?.close();
  }
}
