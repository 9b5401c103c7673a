import type { Context } from '../../context.ts';
import { targetError } from '../../errors.ts';
import type { FoundAside } from '../engine.ts';
import { connectAdmin } from './admin-session.ts';
import type { PostgresTarget, Session } from './connection.ts';
import { databaseExists, isOldName } from './database-names.ts';
import { quoteIdentifier } from './quote.ts';
import { terminateSessions } from './side-database.ts';

/** True while the database that a replacement set aside is on the server. */
export const postgresAsideExists = (old: FoundAside<PostgresTarget>, context: Context): Promise<boolean> =>
  withServerOf(old, context, (session) => databaseExists(session, old.reference));

/**
 * Drops a database that a replacement set aside, and shows out who is connected to it; one that is gone is no failure.
 * Refuses other names.
 */
export async function removePostgresAside(old: FoundAside<PostgresTarget>, context: Context): Promise<void> {
  if (!isOldName(old.reference) || old.reference === old.destination?.database) {
    throw targetError(
      `cannot remove database ${old.reference}: it is not the name of an old database that was set aside`,
    );
  }
  await withServerOf(old, context, async (session) => {
    if (!(await databaseExists(session, old.reference))) return;
    const quoted = quoteIdentifier(old.reference);
    await session.query(`ALTER DATABASE ${quoted} ALLOW_CONNECTIONS false`);
    // Without the right to end sessions the drop may still succeed, or tells better why not.
    await terminateSessions(session, old.reference).catch(() => undefined);
    await session.query(`DROP DATABASE IF EXISTS ${quoted}`);
  });
}

async function withServerOf<T>(
  { reference, destination }: FoundAside<PostgresTarget>,
  context: Context,
  use: (session: Session) => Promise<T>,
): Promise<T> {
  if (destination === undefined) {
    throw targetError(`cannot look for database ${reference}: its server is not known any more`, {
      hint: `drop it by hand: DROP DATABASE ${quoteIdentifier(reference)}`,
    });
  }
  const session = await connectAdmin(destination, context);
  try {
    return await use(session);
  } finally {
    await session.close();
  }
}
