import type { Context } from '../../../context.ts';
import { connectAdmin, connectPatiently, steady } from '../server/admin-session.ts';
import type { PostgresTarget, Session } from '../server/connection.ts';
import { readContents } from '../server/database-contents.ts';
import { isNewName } from '../server/database-names.ts';
import { quoteIdentifier, quoteText } from '../server/quote.ts';

/** Stands as comment on a database that is being built, so that the next restore knows what a dead one left. */
const markOf = (database: string): string => `bkp restore into ${JSON.stringify(database)}, unfinished`;

/** True for the comment of a database that a restore has not finished. */
export const isBeingBuilt = (comment: string | null): boolean =>
  comment !== null && /^bkp restore into ".*", unfinished$/s.test(comment);

/**
 * Makes the database that a restore is built in, beside its destination. `create` gives the statements for a name; where
 * there are none it is a plain copy of template0.
 */
export async function createSideDatabase(
  admin: Session,
  target: PostgresTarget,
  name: string,
  create: (name: string) => readonly string[],
): Promise<void> {
  const quoted = quoteIdentifier(name);
  const [first = `CREATE DATABASE ${quoted} TEMPLATE template0`, ...others] = create(quoted);
  await admin.query(first);
  await admin.query(`COMMENT ON DATABASE ${quoted} IS ${quoteText(markOf(target.database))}`);
  for (const statement of others) await admin.query(statement);
}

/** Drops what was built, also after an abort; what cannot be dropped now goes with the next restore. */
export async function dropSideDatabase(target: PostgresTarget, name: string, context: Context): Promise<void> {
  try {
    const admin = await connectAdmin(target, steady(context));
    try {
      await dropDatabase(admin, name);
    } finally {
      await admin.close();
    }
  } catch {
    context.emit({ type: 'warning', message: `database ${name} could not be dropped; the next restore drops it` });
  }
}

/** Drops what restores into this destination left when they died. Call it with the destination locked. */
export async function dropLeftovers(admin: Session, target: PostgresTarget, context: Context): Promise<void> {
  const rows = await admin.query<{ readonly name: string; readonly comment: string | null }>(
    `SELECT datname AS name, pg_catalog.shobj_description(oid, 'pg_database') AS comment FROM pg_catalog.pg_database
     WHERE datname <> $1 AND datallowconn`,
    [target.database],
  );
  for (const { name, comment } of rows) {
    const isMarked = comment === markOf(target.database);
    // Killed between making and marking it.
    const isUnmarked = comment === null && isNewName(name, target.database);
    if (isMarked || (isUnmarked && (await isEmpty(target, name, context)))) await dropDatabase(admin, name);
  }
}

async function isEmpty(target: PostgresTarget, name: string, context: Context): Promise<boolean> {
  const session = await connectPatiently(target, context, name);
  try {
    return (await readContents(session)).objects === 0;
  } finally {
    await session.close();
  }
}

async function dropDatabase(admin: Session, name: string): Promise<void> {
  await terminateSessions(admin, name);
  await admin.query(`DROP DATABASE IF EXISTS ${quoteIdentifier(name)}`);
}

/** Ends everybody else's sessions in a database. Throws where the user may not. */
export async function terminateSessions(admin: Session, database: string): Promise<void> {
  await admin.query(
    `SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity
     WHERE datname = $1 AND pid <> pg_catalog.pg_backend_pid() AND backend_type <> 'autovacuum worker'`,
    [database],
  );
}
