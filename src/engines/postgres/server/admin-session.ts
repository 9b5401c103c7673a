import { setTimeout as wait } from 'node:timers/promises';
import type { Context } from '../../../context.ts';
import { BkpError, guardError, throwIfAborted } from '../../../errors.ts';
import { connect, type PostgresTarget, serverOf, type Session } from './connection.ts';
import { codeOf } from './explain-error.ts';

/** Databases that every server has, to stand in while another one is made, renamed or dropped. */
const MAINTENANCE = ['postgres', 'template1'] as const;
/** No such database, no right to connect to it, no way in by pg_hba.conf: the other one may do. */
const NOT_THERE = ['3D000', '42501', '28000'];

/** Connects to the target's server beside its database. */
export async function connectAdmin(target: PostgresTarget, context: Context): Promise<Session> {
  let first: unknown;
  for (const database of MAINTENANCE.filter((name) => name !== target.database)) {
    try {
      return await connectPatiently(target, context, database);
    } catch (error) {
      first ??= error;
      if (!(error instanceof BkpError) || !NOT_THERE.includes(codeOf(error.cause))) break;
    }
  }
  throw first;
}

/** A session that no setting of its role ends or keeps from writing, and that fails rather than see a part of the rows. */
export async function connectPatiently(target: PostgresTarget, context: Context, database: string): Promise<Session> {
  const session = await connect(target, context, database);
  try {
    await session.query(
      `SELECT pg_catalog.set_config(name, CASE vartype WHEN 'bool' THEN 'off' ELSE '0' END, false)
       FROM pg_catalog.pg_settings WHERE name IN ('statement_timeout', 'lock_timeout', 'row_security', 'default_transaction_read_only',
         'idle_in_transaction_session_timeout', 'idle_session_timeout', 'transaction_timeout')`,
    );
    return session;
  } catch (error) {
    await session.close();
    throw error;
  }
}

/** The same context for steps that are short and must come to their end once begun, abort or not. */
export const steady = (context: Context): Context => ({ ...context, signal: new AbortController().signal });

/**
 * Keeps a second restore of the same database away for as long as the session lives. A dead process lets go by itself, once
 * the server has ended what it was doing for it.
 */
export async function lockDestination(session: Session, target: PostgresTarget, context: Context): Promise<void> {
  for (let attempt = 1; attempt <= LOCK_ATTEMPTS; attempt += 1) {
    const [row] = await session.query<{ readonly free: boolean }>(
      'SELECT pg_catalog.pg_try_advisory_lock(pg_catalog.hashtextextended($1, 0)) AS free',
      [`bkp restore into ${target.database}`],
    );
    if (row?.free === true) return;
    throwIfAborted(context.signal);
    await wait(LOCK_WAIT_MS);
  }
  const what = `database ${target.database} on ${serverOf(target)}`;
  throw guardError(`cannot restore ${what}: another restore of it is under way`, { hint: 'wait until it has ended' });
}

/** Lets go at once: closing a connection takes the server a moment longer. */
export async function unlockDestination(session: Session): Promise<void> {
  await session.query('SELECT pg_catalog.pg_advisory_unlock_all()').catch(() => undefined);
}

const LOCK_ATTEMPTS = 20;
const LOCK_WAIT_MS = 250;
