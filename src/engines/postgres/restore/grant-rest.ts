import type { Context } from '../../../context.ts';
import { BkpError, reasonOf } from '../../../errors.ts';
import { connectPatiently } from '../server/admin-session.ts';
import type { PostgresTarget } from '../server/connection.ts';
import type { Unowned } from '../script/unowned.ts';

/**
 * Runs what is left of the entries that a list kept from pg_restore, which knows an entry whole or not at all. In a filled
 * database, so one that cannot be done is told, and undoes nothing: a right is granted again sooner than the data restored.
 */
export async function grantRest(
  { leftOut, server }: Unowned,
  target: PostgresTarget,
  database: string,
  context: Context,
): Promise<readonly string[]> {
  const rests = [...leftOut.values()].flatMap(({ label, rest }) => (rest === null ? [] : [{ label, rest }]));
  if (rests.length === 0) return [];
  const warnings: string[] = [];
  const session = await connectPatiently(target, context, database);
  try {
    await session.query('BEGIN');
    await session.query(`SELECT pg_catalog.set_config('search_path', '', true)`);
    // Event triggers, which have come back with the rest, stay still, as they do when pg_restore gives rights.
    if (server.isSuperuser) await session.query('SET LOCAL session_replication_role = replica');
    for (const { label, rest } of rests) {
      await session.query('SAVEPOINT bkp_grant');
      try {
        await session.query(rest);
        await session.query('RELEASE SAVEPOINT bkp_grant');
      } catch (error) {
        if (!(error instanceof BkpError) || error.code !== 'target') throw error;
        await session.query('ROLLBACK TO SAVEPOINT bkp_grant');
        warnings.push(`${label} did not come back: ${reasonOf(error.cause ?? error)}`);
      }
    }
    await session.query('COMMIT');
    return warnings;
  } finally {
    await session.close();
  }
}
