import type { Context } from '../../context.ts';
import type { SqliteCalls } from './job.ts';

/** Runs one of the blocking SQLite functions in the job process. */
export async function callSqlite<C extends keyof SqliteCalls>(
  context: Context,
  call: C,
  input: SqliteCalls[C][0],
): Promise<SqliteCalls[C][1]> {
  return (await context.runJob('sqlite', { call, input })) as SqliteCalls[C][1];
}
