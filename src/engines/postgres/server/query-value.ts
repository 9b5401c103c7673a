import { onlyValue } from '../../databases/only-value.ts';
import type { FactValue } from '../../engine.ts';
import type { Session } from './connection.ts';

/** One value of one row, inside the transaction of the session; a query that fails does not end it. */
export async function queryValue(session: Session, sql: string): Promise<FactValue> {
  await session.query('SAVEPOINT bkp_check');
  const rows = await session.query<Readonly<Record<string, unknown>>>(sql);
  await session.query('ROLLBACK TO SAVEPOINT bkp_check');
  return onlyValue(sql, rows);
}
