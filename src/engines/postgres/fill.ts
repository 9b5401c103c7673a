import type { Context, ProcessEnd } from '../../context.ts';
import type { Judgement } from '../../streams/bytes.ts';
import type { Facts, RestoreRequest } from '../engine.ts';
import { connectPatiently } from './admin-session.ts';
import { countAndCompare } from './compare-facts.ts';
import type { PostgresTarget } from './connection.ts';
import { openLibpq } from './libpq.ts';
import { onlyArchive } from './only-archive.ts';

type Request = RestoreRequest<PostgresTarget>;

/** Restores an archive into a database without contents, in one transaction: all of it or nothing. */
export async function fillDatabase(
  request: Request,
  database: string,
  program: string,
  context: Context,
  options: readonly string[] = [],
): Promise<void> {
  const libpq = await openLibpq(request.destination, context, database);
  const argv = [
    program,
    '--no-password',
    '--single-transaction',
    '--exit-on-error',
    '--no-subscriptions',
    ...options,
    `--dbname=${conninfo(database)}`,
  ] as const;
  try {
    await onlyArchive(request.artifacts).into({
      kind: 'process',
      process: { argv, env: libpq.env },
      judge: judgeRestore,
    });
  } finally {
    await libpq.close();
  }
}

/** The name as a connection string: alone, one that holds `=` would be taken for such a string. */
const conninfo = (database: string): string => `dbname='${database.replaceAll(/['\\]/g, String.raw`\$&`)}'`;

/** Only the first line of an error is shown: the others may quote rows and passwords. Errors are never ignored. */
export function judgeRestore({ exitCode, stderr }: ProcessEnd): Judgement {
  const said = /error: (.*)/.exec(stderr)?.[1]?.replace(/^could not execute query: /, '');
  const ignored = stderr.includes('errors ignored on restore');
  if (exitCode === 0 && !ignored) return { verdict: 'ok', warnings: [] };
  const reason = said?.replace(/^ERROR: +/, '') ?? `exit code ${exitCode}`;
  if (reason.includes('unrecognized configuration parameter')) {
    return { verdict: 'failed', reason, hint: 'install postgresql-client of the major version of the server' };
  }
  return { verdict: 'failed', reason };
}

/** Gathers statistics and counts a filled database. Throws `integrity` where the counts are not those of the capture. */
export async function settleDatabase(request: Request, database: string, context: Context): Promise<Facts> {
  const session = await connectPatiently(request.destination, context, database);
  try {
    await session.query('SET default_transaction_read_only = off');
    await session.query('ANALYZE');
    await session.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const facts = await countAndCompare(session, request);
    await session.query('COMMIT');
    return facts;
  } finally {
    await session.close();
  }
}

/** `{ "table public.events": 12 }`. */
export function restoredRows(facts: Facts): Facts {
  const { tables } = facts;
  if (typeof tables !== 'object' || tables === null) return {};
  return Object.fromEntries(Object.entries(tables).map(([name, rows]) => [`table ${name}`, rows]));
}
