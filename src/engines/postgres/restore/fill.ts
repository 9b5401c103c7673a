import type { Context } from '../../../context.ts';
import type { Facts, RestoreRequest } from '../../engine.ts';
import type { PostgresTarget } from '../server/connection.ts';
import { databaseArgument } from '../server/database-argument.ts';
import { openLibpq } from '../server/libpq.ts';
import { onlyArchive } from '../archive/only-archive.ts';
import { runFill } from '../script/run-fill.ts';

type Request = RestoreRequest<PostgresTarget>;

/**
 * Restores a dump into a database without contents, in one transaction: all of it or nothing. Where `jobs` are asked for
 * and the database is one that is being built, several work at once, and what fails leaves a part of it there.
 */
export async function fillDatabase(
  request: Request,
  database: string,
  program: string,
  context: Context,
  options: readonly string[] = [],
): Promise<void> {
  const { destination } = request;
  const artifact = onlyArchive(request.artifacts);
  const libpq = await openLibpq(destination, context, database);
  const jobs = database === destination.database ? 1 : (destination.jobs ?? 1);
  try {
    await runFill({ artifact, database: databaseArgument(database), program, options, env: libpq.env, jobs }, context);
  } finally {
    await libpq.close();
  }
}

/** `{ "table public.events": 12 }`. */
export function restoredRows(facts: Facts): Facts {
  const { tables } = facts;
  if (typeof tables !== 'object' || tables === null) return {};
  return Object.fromEntries(Object.entries(tables).map(([name, rows]) => [`table ${name}`, rows]));
}
