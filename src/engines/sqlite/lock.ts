import { DatabaseSync } from 'node:sqlite';
import { explainSqliteError, isBusyError, isDamageError } from './database.ts';

export interface LockInput {
  readonly path: string;
}

/**
 * True when another connection is open on a WAL database, or another holds a lock on any database. In exclusive mode
 * SQLite wants the whole file for itself, which an idle WAL connection refuses, also one in another container. A damaged
 * database cannot be asked: false.
 */
export function isLocked({ path }: LockInput): boolean {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { enableForeignKeyConstraints: false });
    database.exec('PRAGMA busy_timeout = 500; PRAGMA locking_mode = EXCLUSIVE');
    database.exec('BEGIN EXCLUSIVE; SELECT count(*) FROM sqlite_schema; ROLLBACK');
    return false;
  } catch (error) {
    if (isBusyError(error)) return true;
    if (isDamageError(error)) return false;
    throw explainSqliteError('lock', path, error);
  } finally {
    database?.close();
  }
}
