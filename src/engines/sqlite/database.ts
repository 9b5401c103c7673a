import { DatabaseSync } from 'node:sqlite';
import { type BkpError, integrityError, targetError } from '../../errors.ts';

/** SQLite's primary result codes that we treat apart. */
const CODE = {
  perm: 3,
  busy: 5,
  locked: 6,
  readonly: 8,
  corrupt: 11,
  full: 13,
  cantOpen: 14,
  notADatabase: 26,
} as const;

/** Quotes a name for SQL. */
export const quoteName = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** Quotes a text for SQL. */
export const quoteText = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** The primary result code of an error thrown by node:sqlite, or undefined for anything else. */
function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined;
  return error.errcode & 0xff;
}

export const isReadonlyError = (error: unknown): boolean => resultCode(error) === CODE.readonly;
export const isBusyError = (error: unknown): boolean =>
  resultCode(error) === CODE.busy || resultCode(error) === CODE.locked;
export const isDamageError = (error: unknown): boolean =>
  resultCode(error) === CODE.corrupt || resultCode(error) === CODE.notADatabase;

/** Mapped pages are read without a system call, but count as memory of the process: a part of a large file only. */
const MAPPED_BYTES = 64 * 1024 * 1024;

/** A finished file that nobody writes any more: no locks, no sidecars. */
export function openUnchanging(path: string): DatabaseSync {
  const database = new DatabaseSync(`file:${encodeURI(path).replace(/[?#]/g, encodeURIComponent)}?immutable=1`, {
    readOnly: true,
  });
  database.exec(`PRAGMA mmap_size = ${MAPPED_BYTES}; PRAGMA query_only = 1; PRAGMA trusted_schema = 0`);
  return database;
}

/** Turns an error of node:sqlite into a sentence; anything else is returned as it is. */
export function explainSqliteError(verb: string, path: string, error: unknown): unknown {
  const code = resultCode(error);
  if (code === undefined || !(error instanceof Error)) return error;
  const failed = (make: typeof targetError, reason: string, hint?: string): BkpError =>
    make(`cannot ${verb} database ${path}: ${reason}`, { hint, cause: error });
  switch (code) {
    case CODE.busy:
    case CODE.locked:
      return failed(targetError, 'another process keeps it locked', 'end the long transaction or raise `busyTimeout`');
    case CODE.notADatabase:
      return failed(targetError, 'it is not a SQLite database, or it is encrypted');
    case CODE.corrupt:
      return failed(integrityError, `it is damaged (${error.message})`, 'restore the last good snapshot');
    case CODE.full:
      return failed(targetError, 'the disk is full');
    case CODE.perm:
    case CODE.readonly:
    case CODE.cantOpen:
      return failed(
        targetError,
        `no right to open it (${error.message})`,
        'a database in WAL mode needs a folder that this user can write: run as the owner, or mount it writable',
      );
    default:
      return failed(targetError, error.message);
  }
}
