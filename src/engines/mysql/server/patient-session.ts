import type { Context } from '../../../context.ts';
import { connect, type MysqlTarget, type Session } from './connection.ts';
import { readServer } from './server.ts';

/** A session that no setting of the server ends while it waits, and that reads text and modes as dumps do. */
export async function connectPatiently(
  target: MysqlTarget,
  context: Context,
  database: string | null,
): Promise<Session> {
  const session = await connect(target, context, database);
  try {
    await session.query(`SET SESSION wait_timeout = 604800, net_write_timeout = 3600, net_read_timeout = 3600,
      time_zone = '+00:00', sql_mode = 'NO_AUTO_VALUE_ON_ZERO,STRICT_ALL_TABLES', character_set_results = utf8mb4`);
    const { family } = await readServer(session);
    // Statistics of tables are up to a day old else; time limits of applications would end a count.
    await session.query(
      family === 'mysql'
        ? 'SET SESSION information_schema_stats_expiry = 0, max_execution_time = 0'
        : 'SET SESSION max_statement_time = 0',
    );
    return session;
  } catch (error) {
    await session.close();
    throw error;
  }
}

/** The same context for steps that are short and must come to their end once begun, abort or not. */
export const steady = (context: Context): Context => ({ ...context, signal: new AbortController().signal });
