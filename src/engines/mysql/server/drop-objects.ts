import type { Session } from './connection.ts';
import { MARK_TABLE } from './database-facts.ts';
import { readStoredObjects, readTables, type StoredObject } from './objects.ts';
import { qualified, quoteIdentifier } from './quote.ts';

/** Drops triggers, routines and events of a database, or those of some kinds. */
export async function dropStoredObjects(
  session: Session,
  database: string,
  isWanted: (object: StoredObject) => boolean = () => true,
): Promise<void> {
  for (const object of (await readStoredObjects(session, database)).filter(isWanted))
    await session.query(`DROP ${object.kind.toUpperCase()} IF EXISTS ${qualified(database, object.name)}`);
}

export async function dropViews(session: Session, database: string): Promise<void> {
  for (const { name, type } of await readTables(session, database))
    if (type === 'VIEW') await session.query(`DROP VIEW IF EXISTS ${qualified(database, name)}`);
}

/** Drops everything that a database holds; the mark of a restore at the very end. */
export async function emptyDatabase(session: Session, database: string): Promise<void> {
  await dropStoredObjects(session, database);
  await dropViews(session, database);
  await session.query('SET SESSION foreign_key_checks = 0');
  const tables = await readTables(session, database);
  for (const { name, type } of tables.toSorted((a) => (a.name === MARK_TABLE ? 1 : -1))) {
    const what = type === 'SEQUENCE' ? 'SEQUENCE' : 'TABLE';
    await session.query(`DROP ${what} IF EXISTS ${qualified(database, name)}`);
  }
  await session.query('SET SESSION foreign_key_checks = 1');
}

/** Ends other sessions that work in a database, as far as the user may. */
export async function endSessions(session: Session, database: string): Promise<void> {
  const rows = await session.query<{ readonly id: string }>(
    'SELECT ID AS id FROM information_schema.PROCESSLIST WHERE DB = ? AND ID <> CONNECTION_ID()',
    [database],
  );
  for (const { id } of rows) await session.query(`KILL ${Number(id)}`).catch(() => undefined);
}

export async function dropDatabase(session: Session, name: string): Promise<void> {
  await endSessions(session, name);
  await session.query(`DROP DATABASE IF EXISTS ${quoteIdentifier(name)}`);
}
