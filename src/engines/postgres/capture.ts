import type { Context } from '../../context.ts';
import { targetError } from '../../errors.ts';
import type { Capture, Facts } from '../engine.ts';
import { connect, type PostgresTarget, type Session } from './connection.ts';
import { openCustomInspector } from './custom-archive.ts';
import { readDatabaseFacts } from './database-facts.ts';
import { judgeDump } from './judge-dump.ts';
import { openLibpq } from './libpq.ts';
import { countLive } from './live-facts.ts';
import { captureFindings, missingFromBackup } from './capture-findings.ts';
import { captureProblems } from './capture-problems.ts';
import { readServer } from './server.ts';
import { queryValue } from './query-value.ts';
import { findPostgresTool } from './tools.ts';
import { lockTimeoutMs } from './settings.ts';

/**
 * Gets a database ready to be dumped. The dump, the counts and the checks see one snapshot of the database, which a
 * session of ours holds open until the capture is closed.
 */
export async function capturePostgres(target: PostgresTarget, context: Context): Promise<Capture> {
  const startedAt = context.clock.now();
  const session = await connect(target, context);
  try {
    const server = await readServer(session);
    const problem = (await captureProblems(session))[0];
    if (problem !== undefined)
      throw targetError(`cannot capture ${target.database}: ${problem.message}`, { hint: problem.hint });
    const warnings = missingFromBackup(await captureFindings(session));
    const dump = await findPostgresTool('pg_dump', server.major, target, context);
    const snapshot = await holdSnapshot(session);
    const takenAt = context.clock.now();
    const libpq = await openLibpq(target, context);
    return {
      artifacts: [
        {
          name: '',
          extension: 'dump',
          format: 'pg-custom',
          source: {
            kind: 'process',
            process: { argv: [dump.program, ...dumpArgv(target, snapshot)], env: libpq.env },
            judge: judgeDump,
          },
          estimatedBytes: null,
          inspect: { open: openCustomInspector, program: 'pg-custom' },
        },
      ],
      pointInTime: [startedAt, takenAt],
      versions: { server: server.version, tool: dump.version },
      warnings,
      facts: () => factsOf(session, target),
      query: (sql) => queryValue(session, sql),
      close: async () => {
        await session.close();
        await libpq.close();
      },
    };
  } catch (error) {
    await session.close();
    throw error;
  }
}

/** Uncompressed, because `streams/` compresses better and faster; never a row filter, which would pass for a whole dump. */
const dumpArgv = (target: PostgresTarget, snapshot: string): readonly string[] => [
  '--no-password',
  '--format=custom',
  '--compress=0',
  `--snapshot=${snapshot}`,
  `--lock-wait-timeout=${lockTimeoutMs(target)}`,
];

async function holdSnapshot(session: Session): Promise<string> {
  await session.query('BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY');
  await session.query('SET LOCAL statement_timeout = 0');
  const [row] = await session.query<{ readonly id: string }>('SELECT pg_catalog.pg_export_snapshot() AS id');
  if (row === undefined) throw new Error('a server without a snapshot');
  return row.id;
}

/** Counting reads every row once more: `checks: fast` does without. */
async function factsOf(session: Session, { checks }: PostgresTarget): Promise<Facts> {
  const database = await readDatabaseFacts(session);
  return checks === 'fast' ? { database } : { ...(await countLive(session)), database };
}
