import type { FactValue } from '../../engine.ts';
import type { Session } from './connection.ts';
import { queryValue } from './query-value.ts';

/** Asks a check in the middle of a transaction as a new session would see it: with its search path, changing nothing. */
export async function queryInside(session: Session, sql: string): Promise<FactValue> {
  await session.query('SAVEPOINT bkp_accept');
  await session.query(`SELECT pg_catalog.set_config('search_path', reset_val, true) FROM pg_catalog.pg_settings
    WHERE name = 'search_path'`);
  await session.query('SET LOCAL transaction_read_only = on');
  const value = await queryValue(session, sql);
  await session.query('ROLLBACK TO SAVEPOINT bkp_accept');
  return value;
}
