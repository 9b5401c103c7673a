import type { Context } from '../../../context.ts';
import { targetError } from '../../../errors.ts';
import type { Capture, Facts } from '../../engine.ts';
import { connectPatiently } from '../server/admin-session.ts';
import { captureFindings, missingFromBackup } from './findings.ts';
import { captureProblems } from './problems.ts';
import type { PostgresTarget, Session } from '../server/connection.ts';
import { readDatabaseFacts } from '../server/database-facts.ts';
import { openDump } from './dump-artifact.ts';
import type { HeldSnapshot } from './held-snapshot.ts';
import { openLibpq } from '../server/libpq.ts';
import { countLive } from './live-facts.ts';
import { queryValue } from '../server/query-value.ts';
import { readSelection, type Selection } from './selection.ts';
import { readServer, type Server } from '../server/server.ts';
import { lockTimeoutMs } from '../server/settings.ts';
import type { FoundTool, ToolFinder } from '../server/tools.ts';

/** A database that can be dumped, and a session of ours in it. */
export interface ReadyDatabase {
  readonly target: PostgresTarget;
  readonly session: Session;
  readonly server: Server;
  readonly tool: FoundTool;
  readonly warnings: readonly string[];
}

/** Connects, and looks for what would make a dump fail, or pass for whole, before it starts. Throws `target` or `tool`. */
export async function readyDatabase(
  target: PostgresTarget,
  tools: ToolFinder,
  context: Context,
): Promise<ReadyDatabase> {
  const session = await connectPatiently(target, context, target.database);
  try {
    const server = await readServer(session);
    const selection = await readSelection(session, target);
    const problem = (await captureProblems(session, selection))[0];
    if (problem !== undefined)
      throw targetError(`cannot capture ${target.database}: ${problem.message}`, { hint: problem.hint });
    const warnings = missingFromBackup(await captureFindings(session, target, selection));
    const tool = await tools.fitting('pg_dump', server.major);
    return { target, session, server, tool, warnings };
  } catch (error) {
    await session.close();
    throw error;
  }
}

/**
 * A database that is ready to be read. The dump, the counts and the checks see one snapshot, which the session holds until
 * the capture is closed.
 */
export async function captureReady(
  { target, session, server, tool, warnings }: ReadyDatabase,
  snapshot: HeldSnapshot,
  context: Context,
): Promise<Pick<Capture, 'artifacts' | 'versions' | 'warnings' | 'facts' | 'query' | 'close'>> {
  const selection = await readSelection(session, target);
  const libpq = await openLibpq(target, context);
  try {
    const order = { target, program: tool.program, env: libpq.env, session };
    const dump = await openDump({ ...order, options: dumpOptions(target, snapshot, selection) }, context);
    return {
      artifacts: [dump.artifact],
      versions: { server: server.version, tool: tool.version },
      warnings: [...warnings, ...(selection?.warnings ?? []), ...dump.warnings],
      facts: () => factsOf(session, target, selection),
      query: (sql) => queryValue(session, sql),
      close: async () => {
        await dump.close();
        await libpq.close();
      },
    };
  } catch (error) {
    await libpq.close();
    throw error;
  }
}

/** Never a row filter, which would pass for a whole dump. */
const dumpOptions = (
  target: PostgresTarget,
  snapshot: HeldSnapshot,
  selection: Selection | null,
): readonly string[] => [
  `--snapshot=${snapshot.id}`,
  `--lock-wait-timeout=${lockTimeoutMs(target)}`,
  ...(selection?.argv ?? []),
];

/** Counting reads every row once more: `checks: fast` does without. */
async function factsOf(
  session: Session,
  { checks, hash = false }: PostgresTarget,
  selection: Selection | null,
): Promise<Facts> {
  const database = await readDatabaseFacts(session);
  const without = selection?.withoutRows ?? [];
  const known =
    without.length === 0
      ? { database }
      : { database, withoutRows: Object.fromEntries(without.map((name) => [name, null])) };
  return checks === 'fast' ? known : { ...(await countLive(session, { selection, hash })), ...known };
}
