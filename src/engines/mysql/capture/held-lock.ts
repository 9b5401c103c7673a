import type { Context } from '../../../context.ts';
import { targetError } from '../../../errors.ts';
import type { Session } from '../server/connection.ts';
import { connectPatiently } from '../server/patient-session.ts';
import { holdsRows } from '../server/objects.ts';
import { qualified } from '../server/quote.ts';
import { lockTimeoutSeconds } from '../server/settings.ts';
import { codeOf } from '../server/explain-error.ts';
import { BkpError } from '../../../errors.ts';
import type { ReadyDatabase } from './ready-database.ts';

/** All tables, closed to writers until it is let go: readers, and the dump, go on. */
export interface HeldLock {
  readonly since: Date;
  close(): Promise<void>;
}

/** Locks the tables of all databases of a target at once, so that they are from one moment. */
export async function holdLock(databases: readonly ReadyDatabase[], context: Context): Promise<HeldLock> {
  const [first] = databases;
  if (first === undefined) throw new Error('a target without a database');
  const tables = databases.flatMap(({ target, tables: all }) =>
    all.filter(holdsRows).map(({ name }) => `${qualified(target.database, name)} READ`),
  );
  const session: Session = await connectPatiently(first.target, context, null);
  try {
    const seconds = lockTimeoutSeconds(first.target);
    await session.query(`SET SESSION lock_wait_timeout = ${seconds}`);
    if (tables.length > 0) await session.query(`LOCK TABLES ${tables.join(', ')}`);
    return { since: context.clock.now(), close: () => session.close() };
  } catch (error) {
    await session.close();
    if (error instanceof BkpError && codeOf(error.cause) === 'ER_LOCK_WAIT_TIMEOUT')
      throw targetError(`cannot lock the tables of ${first.target.database}: one of them stayed in use`, {
        hint: 'see who holds it, or raise `lockTimeout`',
      });
    throw error;
  }
}
