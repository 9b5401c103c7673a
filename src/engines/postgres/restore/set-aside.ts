import type { Context } from '../../../context.ts';
import { targetError } from '../../../errors.ts';
import type { FoundAside } from '../../engine.ts';
import { connectAdmin } from '../server/admin-session.ts';
import type { PostgresTarget, Session } from '../server/connection.ts';
import { databaseExists, isOldName } from '../server/database-names.ts';
import { quoteIdentifier } from '../server/quote.ts';
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
    await assertNoSubscriptions(session, old.reference);
    const quoted = quoteIdentifier(old.reference);
    await session.query(`ALTER DATABASE ${quoted} ALLOW_CONNECTIONS false`);
    // Without the right to end sessions the drop may still succeed, or tells better why not.
    await terminateSessions(session, old.reference).catch(() => undefined);
    await session.query(`DROP DATABASE IF EXISTS ${quoted}`);
  });
}

/** No database with subscriptions can be dropped, and once closed nobody could drop them: said while it is still open. */
async function assertNoSubscriptions(session: Session, database: string): Promise<void> {
  const rows = await session.query<{ readonly name: string }>(
    `SELECT subname::text AS name FROM pg_catalog.pg_subscription
     WHERE subdbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = $1) ORDER BY 1`,
    [database],
  );
  if (rows.length === 0) return;
  const statements = rows.map(({ name }) => `\`DROP SUBSCRIPTION ${quoteIdentifier(name)}\``);
  throw targetError(`cannot remove database ${database}: it still has subscriptions`, {
    hint: `connect to it and ${statements.join(', ')}`,
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
