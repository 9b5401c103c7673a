import type { Context } from '../../../context.ts';
import { BkpError } from '../../../errors.ts';
import type { Probe } from '../../engine.ts';
import { captureProblems } from './problems.ts';
import { captureFindings } from './findings.ts';
import { connect, type PostgresTarget, type Session } from '../server/connection.ts';
import { readSelection } from './selection.ts';
import { readServer, type Server } from '../server/server.ts';
import type { ToolFinder } from '../server/tools.ts';

/** Looks at a database: reachable, tools that fit, rights that suffice, what a backup leaves out, its size. */
export async function probePostgres(target: PostgresTarget, tools: ToolFinder, context: Context): Promise<Probe> {
  let session: Session | undefined;
  let server: Server | null = null;
  try {
    session = await connect(target, context);
    server = await readServer(session);
    const selection = await readSelection(session, target);
    const problems = await captureProblems(session, selection);
    const warnings = await captureFindings(session, target, selection);
    const tool = await tools.fitting('pg_dump', server.major);
    const [size] = await session.query<{ readonly bytes: string }>(
      'SELECT pg_catalog.pg_database_size(pg_catalog.current_database()) AS bytes',
    );
    const versions = { server: `PostgreSQL ${server.version}`, tool: `pg_dump ${tool.version}` };
    return { versions, estimatedBytes: Number(size?.bytes ?? 0), problems, warnings };
  } catch (error) {
    if (!(error instanceof BkpError) || error.code === 'interrupted') throw error;
    const versions = { server: server?.version ?? null, tool: null };
    const problems = [{ message: error.message, hint: error.hint }];
    return { versions, estimatedBytes: null, problems, warnings: [] };
  } finally {
    await session?.close();
  }
}
