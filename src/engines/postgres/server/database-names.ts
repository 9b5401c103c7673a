import type { Session } from './connection.ts';

const MOST_BYTES = 63;

/** A name made of a database's own and a suffix. PostgreSQL cuts names at 63 bytes: the first part gives way. */
function nameBeside(database: string, suffix: string): string {
  let kept = Array.from(database);
  while (Buffer.byteLength(kept.join('') + suffix) > MOST_BYTES) kept = kept.slice(0, -1);
  return kept.join('') + suffix;
}

/** Where a restore is built before it takes its place. */
export const newSuffix = (snapshot: string): string => `_bkp_new_${snapshot.slice(-8)}`;

/** Where the old state goes. */
export const oldSuffix = (snapshot: string): string => `_bkp_old_${snapshot}`;

/** True for the name of a database that a restore into `database` may have built. */
export function isNewName(name: string, database: string): boolean {
  const suffix = /_bkp_new_[a-z0-9]{8}(?:\.\d+)?$/.exec(name)?.[0];
  return suffix !== undefined && name === nameBeside(database, suffix);
}

/** True for the name of a database that was set aside. */
export const isOldName = (name: string): boolean => /._bkp_old_[0-9]{8}T[0-9]{6}Z-[a-z0-9]+(?:\.\d+)?$/.test(name);

/** The first name with this suffix that no database has: `…`, `….2`, `….3`. */
export async function freeName(session: Session, database: string, suffix: string): Promise<string> {
  for (let number = 1; ; number += 1) {
    const name = nameBeside(database, number === 1 ? suffix : `${suffix}.${number}`);
    if (!(await databaseExists(session, name))) return name;
  }
}

export async function databaseExists(session: Session, name: string): Promise<boolean> {
  const rows = await session.query('SELECT FROM pg_catalog.pg_database WHERE datname = $1', [name]);
  return rows.length > 0;
}
