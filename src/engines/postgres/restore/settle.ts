import type { Context } from '../../../context.ts';
import type { Facts, RestoreRequest } from '../../engine.ts';
import { connectPatiently } from '../server/admin-session.ts';
import type { PostgresTarget, Session } from '../server/connection.ts';
import { analyzeDatabase } from './analyze.ts';
import { countAndCompare } from './compare-facts.ts';

type Request = RestoreRequest<PostgresTarget>;

/**
 * Counts a filled database and gathers its statistics, both at once where the server has two sessions to give. Throws
 * `integrity` where the counts are not those of the capture.
 */
export async function settleDatabase(request: Request, database: string, context: Context): Promise<Facts> {
  const session = await connectPatiently(request.destination, context, database);
  const second = await connectPatiently(request.destination, context, database).catch(() => null);
  try {
    if (second === null) await analyzeDatabase(session);
    const [facts] = await Promise.all([countUnchanging(session, request), second && analyzeDatabase(second)]);
    return facts;
  } finally {
    await Promise.all([session.close(), second?.close()]);
  }
}

async function countUnchanging(session: Session, request: Request): Promise<Facts> {
  await session.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  const facts = await countAndCompare(session, request);
  await session.query('COMMIT');
  return facts;
}
