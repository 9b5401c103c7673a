import { onlyValue } from '../../databases/only-value.ts';
import type { FactValue } from '../../engine.ts';
import type { Session } from './connection.ts';

/** One value of one row. */
export const queryValue = async (session: Session, sql: string): Promise<FactValue> =>
  onlyValue(sql, await session.query(sql));
