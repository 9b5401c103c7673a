import type { Context } from '../../context.ts';
import { targetError } from '../../errors.ts';
import type { Capture, Facts, FactValue } from '../engine.ts';
import { connect, type PostgresTarget, type Session } from './connection.ts';
import { openCustomInspector } from './custom-archive.ts';
import { readDatabaseFacts } from './database-facts.ts';
import { openLibpq } from './libpq.ts';
import { countLive } from './live-facts.ts';
import { captureProblems } from './probe.ts';
import { readServer, type Server } from './server.ts';
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
          },
          estimatedBytes: null,
          inspect: { open: openCustomInspector, program: 'pg-custom' },
        },
      ],
      pointInTime: [startedAt, takenAt],
      versions: { server: server.version, tool: dump.version },
      facts: () => factsOf(session, server),
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

async function factsOf(session: Session, server: Server): Promise<Facts> {
  return { ...(await countLive(session)), database: await readDatabaseFacts(session, server) };
}

/** One value of one row, under the snapshot of the dump. */
async function queryValue(session: Session, sql: string): Promise<FactValue> {
  await session.query('SAVEPOINT bkp_check');
  const rows = await session.query<Readonly<Record<string, unknown>>>(sql);
  await session.query('ROLLBACK TO SAVEPOINT bkp_check');
  const [row, ...more] = rows;
  const values = Object.values(row ?? {});
  if (row === undefined || more.length > 0 || values.length !== 1)
    throw targetError(
      `cannot check with ${JSON.stringify(sql)}: it gives ${rows.length} rows of ${values.length} values, not one value`,
    );
  return factOf(values[0]);
}

function factOf(value: unknown): FactValue {
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return value;
  const text = String(value);
  return /^-?\d{1,15}(\.\d{1,9})?$/.test(text) ? Number(text) : text;
}
