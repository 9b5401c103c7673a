import type { Context } from '../../../context.ts';
import { targetError } from '../../../errors.ts';
import type { Problem } from '../../engine.ts';
import type { MysqlTarget, Session } from '../server/connection.ts';
import { readGrants } from '../server/grants.ts';
import { readTables, type TableInfo } from '../server/objects.ts';
import { connectPatiently } from '../server/patient-session.ts';
import { readServer, type Server } from '../server/server.ts';
import { findMydumper, type Mydumper } from '../server/mydumper.ts';
import { findFitting, type FoundTool } from '../server/tools.ts';
import { captureFindings } from './findings.ts';
import { mydumperProblems } from './mydumper-problems.ts';
import { captureProblems } from './problems.ts';

/** What was found out about a database before it is dumped. */
export interface LookedAt {
  readonly server: Server;
  readonly tool: FoundTool;
  /** Null unless the target asks for it. */
  readonly mydumper: Mydumper | null;
  readonly tables: readonly TableInfo[];
  readonly problems: readonly Problem[];
  readonly findings: readonly Problem[];
  /** As the server last counted its pages. */
  readonly bytes: number;
}

/** A database that can be dumped, and a session of ours in it. */
export interface ReadyDatabase extends LookedAt {
  readonly target: MysqlTarget;
  readonly session: Session;
}

/** Looks at a database without changing anything. */
export async function lookAtDatabase(session: Session, target: MysqlTarget, context: Context): Promise<LookedAt> {
  const server = await readServer(session);
  const grants = await readGrants(session);
  const tables = await readTables(session, target.database);
  const isParallel = target.method === 'mydumper';
  const problems = [
    ...(await captureProblems(session, target, tables, grants)),
    ...(isParallel ? await mydumperProblems(session, target, tables, grants, server.family) : []),
  ];
  const findings = await captureFindings(session, target, tables, grants);
  const tool = await findFitting('dump', server, target, context);
  const mydumper = isParallel ? await findMydumper(target, context) : null;
  const [size] = await session.query<{ readonly bytes: string | null }>(
    'SELECT SUM(DATA_LENGTH) AS bytes FROM information_schema.TABLES WHERE TABLE_SCHEMA = ?',
    [target.database],
  );
  return { server, tool, mydumper, tables, problems, findings, bytes: Number(size?.bytes ?? 0) };
}

/** Connects, and looks for what would make a dump fail, or pass for whole, before it starts. Throws `target` or `tool`. */
export async function readyDatabase(target: MysqlTarget, context: Context): Promise<ReadyDatabase> {
  const session = await connectPatiently(target, context, target.database);
  try {
    const found = await lookAtDatabase(session, target, context);
    const [problem] = found.problems;
    if (problem !== undefined)
      throw targetError(`cannot capture ${target.database}: ${problem.message}`, { hint: problem.hint });
    return { ...found, target, session };
  } catch (error) {
    await session.close();
    throw error;
  }
}
