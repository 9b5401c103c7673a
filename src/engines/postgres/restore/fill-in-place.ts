import type { Context } from '../../../context.ts';
import { BkpError } from '../../../errors.ts';
import type { RestoreOutcome } from '../../engine.ts';
import { connectPatiently, steady } from '../server/admin-session.ts';
import { acceptDatabase, type Beside, fillKeeping } from './build-beside.ts';
import type { PostgresTarget } from '../server/connection.ts';
import { readContents } from '../server/database-contents.ts';
import { restoredRows } from './fill.ts';
import { settleDatabase } from './settle.ts';
import { leftOutWarnings } from '../script/unowned.ts';

/**
 * Fills an empty database as it is, for users who may not make one. pg_restore does it in one transaction; what fails after
 * that leaves the restored data in the database, and the hint says so.
 */
export async function fillInPlace(
  { request, program, unowned }: Pick<Beside, 'request' | 'program' | 'unowned'>,
  context: Context,
): Promise<RestoreOutcome> {
  const { destination } = request;
  try {
    const lost = await fillKeeping(unowned, request, destination.database, program, context);
    const facts = await settleDatabase(request, destination.database, context);
    await acceptDatabase(request, destination.database, context);
    return {
      facts,
      keptOld: [],
      restored: restoredRows(facts),
      conflicts: [],
      warnings: [...leftOutWarnings(unowned), ...lost],
    };
  } catch (error) {
    if (!(error instanceof BkpError) || !(await isFilled(destination, context))) throw error;
    const hint = `database ${destination.database} was empty and holds the restored data now; drop it and create it again before the next try`;
    throw new BkpError(error.code, error.message, { hint, cause: error });
  }
}

async function isFilled(target: PostgresTarget, context: Context): Promise<boolean> {
  try {
    const session = await connectPatiently(target, steady(context), target.database);
    try {
      return (await readContents(session)).objects > 0;
    } finally {
      await session.close();
    }
  } catch {
    return false;
  }
}
