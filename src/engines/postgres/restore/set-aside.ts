import type { Context } from '../../../context.ts';
import { targetError } from '../../../errors.ts';
import { type AsideDatabases, asideExists, removeAside } from '../../databases/set-aside.ts';
import type { FoundAside } from '../../engine.ts';
import { connectAdmin } from '../server/admin-session.ts';
import type { PostgresTarget, Session } from '../server/connection.ts';
import { databaseExists, isOldName } from '../server/database-names.ts';
import { quoteIdentifier } from '../server/quote.ts';
import { terminateSessions } from './side-database.ts';

const DATABASES: AsideDatabases<PostgresTarget, Session> = {
  connect: connectAdmin,
  exists: databaseExists,
  drop: dropAside,
  isOldName,
  quote: quoteIdentifier,
};

/** True while the database that a replacement set aside is on the server. */
export const postgresAsideExists = (old: FoundAside<PostgresTarget>, context: Context): Promise<boolean> =>
  asideExists(old, DATABASES, context);

/** Drops a database that a replacement set aside; one that is gone is no failure. Refuses other names. */
export const removePostgresAside = (old: FoundAside<PostgresTarget>, context: Context): Promise<void> =>
  removeAside(old, DATABASES, context);

/** Shows out who is connected to it. */
async function dropAside(session: Session, name: string): Promise<void> {
  if (!(await databaseExists(session, name))) return;
  await assertNoSubscriptions(session, name);
  const quoted = quoteIdentifier(name);
  await session.query(`ALTER DATABASE ${quoted} ALLOW_CONNECTIONS false`);
  // Without the right to end sessions the drop may still succeed, or tells better why not.
  await terminateSessions(session, name).catch(() => undefined);
  await session.query(`DROP DATABASE IF EXISTS ${quoted}`);
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
