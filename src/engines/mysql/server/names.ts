import type { Session } from './connection.ts';

const MOST_CHARACTERS = 64;

/** Databases that belong to the server. */
export const OWN_DATABASES: readonly string[] = ['information_schema', 'mysql', 'performance_schema', 'sys', 'ndbinfo'];

/** A name made of a database's own and a suffix. Names are cut at 64 characters: the first part gives way. */
const nameBeside = (database: string, suffix: string): string =>
  Array.from(database)
    .slice(0, MOST_CHARACTERS - suffix.length)
    .join('')
    .trimEnd() + suffix;

/** Where a restore is built before it takes its place. */
export const newSuffix = (snapshot: string): string => `_bkp_new_${snapshot.slice(-8)}`;

/** Where the old state goes. */
export const oldSuffix = (snapshot: string): string => `_bkp_old_${snapshot}`;

/** True for the name of a database that was set aside. */
export const isOldName = (name: string): boolean => /._bkp_old_[0-9]{8}T[0-9]{6}Z-[a-z0-9]+(?:\.\d+)?$/i.test(name);

/** True for the name of a database that a restore may be building. */
export const isNewName = (name: string): boolean => /._bkp_new_[a-z0-9]{8}(?:\.\d+)?$/i.test(name);

/** True for the name of a database that a restore into `database` may have built. */
export function newNameOf(name: string, database: string): boolean {
  const suffix = /_bkp_new_[a-z0-9]{8}(?:\.\d+)?$/i.exec(name)?.[0];
  return suffix !== undefined && name === nameBeside(database, suffix);
}

/** The first name with this suffix that no database has: `…`, `….2`, `….3`. */
export async function freeName(session: Session, database: string, suffix: string): Promise<string> {
  for (let number = 1; ; number += 1) {
    const name = nameBeside(database, number === 1 ? suffix : `${suffix}.${number}`);
    if (!(await databaseExists(session, name))) return name;
  }
}

export async function databaseExists(session: Session, name: string): Promise<boolean> {
  const rows = await session.query('SELECT 1 AS found FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ?', [name]);
  return rows.length > 0;
}
