import type { Context } from '../../../context.ts';
import { reasonOf } from '../../../errors.ts';
import { connectPatiently } from '../server/admin-session.ts';
import { analyzeDatabase } from './analyze.ts';
import type { PostgresTarget } from '../server/connection.ts';

/**
 * Gathers statistics of tables, given as SQL text, or of all of them. The planner does without for a while, so a failure
 * is a warning.
 */
export async function analyzeAfterwards(
  destination: PostgresTarget,
  tables: readonly string[],
  context: Context,
): Promise<readonly string[]> {
  try {
    const session = await connectPatiently(destination, context, destination.database);
    try {
      if (tables.length === 0) await analyzeDatabase(session);
      else await session.query(`ANALYZE ${tables.join(', ')}`);
      return [];
    } finally {
      await session.close();
    }
  } catch (error) {
    return [`no statistics were gathered: ${reasonOf(error)}`];
  }
}
