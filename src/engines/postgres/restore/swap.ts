import { setTimeout as wait } from 'node:timers/promises';
import type { Context } from '../../../context.ts';
import { BkpError, targetError } from '../../../errors.ts';
import { connectAdmin, steady } from '../server/admin-session.ts';
import type { PostgresTarget, Session } from '../server/connection.ts';
import { databaseExists } from '../server/database-names.ts';
import { codeOf } from '../server/explain-error.ts';
import { quoteIdentifier } from '../server/quote.ts';
import { terminateSessions } from './side-database.ts';

/** What takes whose place. */
export interface Swap {
  /** The database that was built. */
  readonly side: string;
  /** The name it takes. */
  readonly database: string;
  /** Where the database that has this name goes; null where none has. */
  readonly old: string | null;
  /** Run in the same transaction, when the names have changed. */
  readonly finish: readonly string[];
}

const ATTEMPTS = 6;
const TERMINATE_EVERY_MS = 100;
/** Somebody is connected; the server has waited five seconds for them to leave. */
const IN_USE = '55006';

/**
 * Exchanges names in one transaction. The server lets nobody in while it renames, and whoever was connected is shown out,
 * so clients that come back at once cannot keep it from happening; they find the new database. Once begun it ends one way
 * or the other, abort or not.
 */
export async function swapDatabases(swap: Swap, target: PostgresTarget, context: Context): Promise<void> {
  const held = steady(context);
  for (let attempt = 1; ; attempt += 1) {
    const admin = await connectAdmin(target, held);
    try {
      await exchange(admin, swap, target, held);
      return;
    } catch (error) {
      await admin.close();
      if (await isDone(swap, target, held)) return;
      if (!isInUse(error)) throw error;
      if (attempt === ATTEMPTS || context.signal.aborted) throw inUseError(swap, error);
      context.emit({ type: 'waiting', message: `waiting for clients to leave database ${swap.database}` });
    } finally {
      await admin.close();
    }
  }
}

async function exchange(admin: Session, swap: Swap, target: PostgresTarget, context: Context): Promise<void> {
  const [side, database] = [quoteIdentifier(swap.side), quoteIdentifier(swap.database)];
  await admin.query('BEGIN');
  if (swap.old !== null) {
    const renaming = admin.query(`ALTER DATABASE ${database} RENAME TO ${quoteIdentifier(swap.old)}`);
    await Promise.all([renaming, emptyWhile(renaming, swap.database, target, context)]);
  }
  const taking = admin.query(`ALTER DATABASE ${side} RENAME TO ${database}`);
  await Promise.all([taking, emptyWhile(taking, swap.side, target, context)]);
  await admin.query(`COMMENT ON DATABASE ${database} IS NULL`);
  for (const statement of swap.finish) await admin.query(statement);
  await admin.query('COMMIT');
}

/** Shows clients out until the work that waits for it is done. */
async function emptyWhile(
  work: Promise<unknown>,
  database: string,
  target: PostgresTarget,
  context: Context,
): Promise<void> {
  let isOver = false;
  const over = work
    .catch(() => undefined)
    .then(() => {
      isOver = true;
    });
  const admin = await connectAdmin(target, context);
  try {
    while (!isOver) {
      await terminateSessions(admin, database);
      await Promise.race([over, wait(TERMINATE_EVERY_MS)]);
    }
  } catch (error) {
    await over;
    // Without the right to end sessions the work may still succeed, or tell better why not.
    if (!(error instanceof BkpError)) throw error;
  } finally {
    await admin.close();
  }
}

/** A connection lost at the last word: the names tell whether it was heard. */
async function isDone({ side, database, old }: Swap, target: PostgresTarget, context: Context): Promise<boolean> {
  try {
    const admin = await connectAdmin(target, context);
    try {
      if (await databaseExists(admin, side)) return false;
      return (await databaseExists(admin, database)) && (old === null || (await databaseExists(admin, old)));
    } finally {
      await admin.close();
    }
  } catch {
    return false;
  }
}

const isInUse = (error: unknown): boolean => error instanceof BkpError && codeOf(error.cause) === IN_USE;

const inUseError = ({ database }: Swap, cause: unknown): BkpError =>
  targetError(`cannot replace database ${database}: somebody stays connected to it`, {
    hint: 'stop its clients, or let the user end their sessions: GRANT pg_signal_backend TO …',
    cause,
  });
