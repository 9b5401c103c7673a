import { existsSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { explainSqliteError, isReadonlyError, quoteText } from './database.ts';

export interface CopyInput {
  readonly path: string;
  /** A file that does not exist yet. */
  readonly into: string;
  readonly busyTimeoutMs: number;
}

export interface CopyOutput {
  readonly sqliteVersion: string;
}

/** Copies a live database with VACUUM INTO: one read transaction, immune to writers, compact. Leaves no half copy. */
export function copyDatabase(input: CopyInput): CopyOutput {
  // Beside an idle WAL database a read-only connection would leave empty sidecars; a writing one removes them.
  const hasSidecars = existsSync(`${input.path}-wal`) || existsSync(`${input.path}-shm`);
  const attempts = hasSidecars ? [true, false] : [false, true];
  try {
    try {
      return vacuumInto(input, attempts[0] === true);
    } catch (error) {
      if (!isReadonlyError(error)) throw error;
      rmSync(input.into, { force: true });
      return vacuumInto(input, attempts[1] === true);
    }
  } catch (error) {
    rmSync(input.into, { force: true });
    throw explainSqliteError('copy', input.path, error);
  }
}

function vacuumInto(input: CopyInput, readOnly: boolean): CopyOutput {
  const database = new DatabaseSync(input.path, { readOnly, enableForeignKeyConstraints: false });
  try {
    // The copy is checked after it is written and thrown away on any doubt: it needs no fsync.
    database.exec(`PRAGMA busy_timeout = ${input.busyTimeoutMs}; PRAGMA synchronous = OFF`);
    database.exec(`VACUUM INTO ${quoteText(input.into)}`);
    const version = database.prepare('SELECT sqlite_version() AS version').get();
    return { sqliteVersion: String(version?.['version']) };
  } finally {
    database.close();
  }
}
