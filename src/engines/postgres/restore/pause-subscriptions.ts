import type { Context } from '../../../context.ts';
import { reasonOf } from '../../../errors.ts';
import { connectPatiently, steady } from '../server/admin-session.ts';
import type { PostgresTarget, Session } from '../server/connection.ts';
import { quoteIdentifier } from '../server/quote.ts';

/** Names of the subscriptions that bring changes into a database. */
export async function readEnabledSubscriptions(admin: Session, database: string): Promise<readonly string[]> {
  const rows = await admin.query<{ readonly name: string }>(
    `SELECT subname::text AS name FROM pg_catalog.pg_subscription
     WHERE subenabled AND subdbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = $1) ORDER BY 1`,
    [database],
  );
  return rows.map(({ name }) => name);
}

/**
 * Disables the subscriptions of a database that was set aside, which otherwise go on changing it under its new name. The
 * state before would not stay the state before, and what they take from the publisher its slot does not give a second
 * time, to the restored database either; what waits there is lost to nobody, and one statement lets it flow again. The
 * price is told, because a publisher keeps what waits on its disk. It is done after the swap and not before: whatever
 * happens, the database that people work with never stands there with its replication off. Tells each, and throws nothing,
 * because the restore is done.
 */
export async function pauseSubscriptions(
  names: readonly string[],
  target: PostgresTarget,
  old: string,
  context: Context,
): Promise<readonly string[]> {
  if (names.length === 0) return [];
  const still = (name: string, error: unknown): string =>
    `subscription ${name} still changes database ${old} (${reasonOf(error)}): connect to it and run ALTER SUBSCRIPTION ${quoteIdentifier(name)} DISABLE`;
  let session: Session;
  try {
    session = await connectPatiently(target, steady(context), old);
  } catch (error) {
    return names.map((name) => still(name, error));
  }
  const warnings: string[] = [];
  for (const name of names) {
    const alter = `ALTER SUBSCRIPTION ${quoteIdentifier(name)}`;
    try {
      await session.query(`${alter} DISABLE`);
      warnings.push(
        `subscription ${name} was disabled in database ${old}, where it stays: its publisher keeps all changes from now on, on its disk, until somebody there runs ${alter} ENABLE or DROP SUBSCRIPTION ${quoteIdentifier(name)}`,
      );
    } catch (error) {
      warnings.push(still(name, error));
    }
  }
  await session.close();
  return warnings;
}
