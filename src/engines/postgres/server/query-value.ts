import { targetError } from '../../../errors.ts';
import type { FactValue } from '../../engine.ts';
import type { Session } from './connection.ts';

/** One value of one row, inside the transaction of the session; a query that fails does not end it. */
export async function queryValue(session: Session, sql: string): Promise<FactValue> {
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
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return /^-?\d{1,15}(\.\d{1,9})?$/.test(text) ? Number(text) : text;
}
