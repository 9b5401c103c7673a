import type { Context } from '../../../context.ts';
import { asProblem } from '../../as-problem.ts';
import type { Probe } from '../../engine.ts';
import type { MysqlTarget, Session } from '../server/connection.ts';
import { connectPatiently } from '../server/patient-session.ts';
import { withMydumper } from '../server/mydumper.ts';
import { serverName } from '../server/server.ts';
import { lookAtDatabase } from './ready-database.ts';

/** Looks at a database: reachable, tools that fit, rights that suffice, what a backup leaves out, its size. */
export async function probeMysql(target: MysqlTarget, context: Context): Promise<Probe> {
  let session: Session | undefined;
  try {
    session = await connectPatiently(target, context, target.database);
    const { server, tool, mydumper, problems, findings, bytes } = await lookAtDatabase(session, target, context);
    const dumps = `${tool.program.split('/').at(-1)} ${tool.version}`;
    const versions = { server: serverName(server), tool: withMydumper(dumps, mydumper) };
    return { versions, estimatedBytes: bytes, problems, warnings: findings };
  } catch (error) {
    const problems = [asProblem(error)];
    return { versions: { server: null, tool: null }, estimatedBytes: null, problems, warnings: [] };
  } finally {
    await session?.close();
  }
}
