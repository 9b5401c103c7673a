import type { Context } from '../../context.ts';
import { targetError } from '../../errors.ts';
import type { FoundAside } from '../engine.ts';
import { connectAdmin } from './admin-session.ts';
import type { PostgresTarget, Session } from './connection.ts';
import { databaseExists, isOldName } from './database-names.ts';
import { quoteIdentifier } from './quote.ts';

/** True while the database that a replacement set aside is on the server. */
export const postgresAsideExists = (old: FoundAside<PostgresTarget>, context: Context): Promise<boolean> =>
  withServerOf(old, context, (session) => databaseExists(session, old.reference));

/**
 * Drops a database that a replacement set aside; one that is gone is no failure. Refuses other names, and a database that
 * somebody is connected to.
 */
export async function removePostgresAside(old: FoundAside<PostgresTarget>, context: Context): Promise<void> {
  if (!isOldName(old.reference) || old.reference === old.destination?.database) {
    throw targetError(
      `cannot remove database ${old.reference}: it is not the name of an old database that was set aside`,
    );
  }
  await withServerOf(old, context, async (session) => {
    await session.query(`DROP DATABASE IF EXISTS ${quoteIdentifier(old.reference)}`);
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
