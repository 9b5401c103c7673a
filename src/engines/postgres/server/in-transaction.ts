import type { Context } from '../../../context.ts';
import { throwIfAborted } from '../../../errors.ts';
import { connectPatiently } from './admin-session.ts';
import type { PostgresTarget, Session } from './connection.ts';
import { lockTimeoutMs } from './settings.ts';

/**
 * Works in one transaction of the destination that other sessions see whole or not at all. Names without a schema mean
 * nothing in it. Whatever fails, an abort too, leaves no trace.
 */
export async function inTransaction<T>(
  destination: PostgresTarget,
  admin: Session,
  context: Context,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const session = await connectPatiently(destination, context, destination.database);
  let pid: number | undefined;
  try {
    [{ pid } = { pid: undefined }] = await session.query<{ pid: number | undefined }>(
      'SELECT pg_catalog.pg_backend_pid() AS pid',
    );
    await session.query('BEGIN');
    await session.query(`SET LOCAL lock_timeout = ${lockTimeoutMs(destination)}`);
    await session.query(`SELECT pg_catalog.set_config('search_path', '', true),
      pg_catalog.set_config('check_function_bodies', 'off', true), pg_catalog.set_config('default_transaction_read_only', 'off', true)`);
    const result = await work(session);
    throwIfAborted(context.signal);
    await session.query('COMMIT');
    return result;
  } catch (error) {
    await session.close();
    // The server would finish what it was doing before it sees that we have gone.
    if (pid !== undefined)
      await admin.query('SELECT pg_catalog.pg_terminate_backend($1)', [pid]).catch(() => undefined);
    throw error;
  } finally {
    await session.close();
  }
}
