import { open, realpath, stat } from 'node:fs/promises';
import type { Stats } from 'node:fs';
import { resolve } from 'node:path';
import { hasErrnoCode, reasonOf } from '../../errors.ts';
import { formatBytes } from '../../format-bytes.ts';

/** What lies at a database's path, told without SQLite, so that looking changes nothing. */
export interface DatabaseFile {
  /** Absolute, with symbolic links followed where the file exists. */
  readonly path: string;
  readonly kind: 'absent' | 'empty' | 'database' | 'foreign' | 'unusable';
  /** Of the file alone; null when there is none. */
  readonly stats: Stats | null;
  /** Of the file with its `-wal`: the most a copy can need. */
  readonly bytes: number;
  /** Names of what lies beside it: `-wal`, `-shm`, `-journal`. */
  readonly sidecars: readonly string[];
  /** The `-wal` or `-journal` holds something. */
  readonly hasPendingLog: boolean;
  /** Null unless it is a database. */
  readonly header: DatabaseHeader | null;
  /** One clause for people. */
  readonly description: string;
}

export interface DatabaseHeader {
  readonly isWal: boolean;
  readonly pageSize: number;
  readonly hasTables: boolean;
}

export const SIDECARS = ['-wal', '-shm', '-journal'] as const;

/** Looks at a path and reads the file's first bytes. */
export async function inspectDatabaseFile(given: string): Promise<DatabaseFile> {
  const path = await realpath(given).catch(() => resolve(given));
  const sidecars: string[] = [];
  let logBytes = 0;
  for (const suffix of SIDECARS) {
    const beside = await statOrNull(`${path}${suffix}`);
    if (beside === null) continue;
    sidecars.push(suffix);
    if (suffix !== '-shm') logBytes += beside.size;
  }
  const stats = await statOrNull(path);
  const found = { path, stats, sidecars, hasPendingLog: logBytes > 0, bytes: (stats?.size ?? 0) + logBytes };
  const none = { ...found, header: null };
  if (stats === null) {
    const description = logBytes > 0 ? 'no database, only the log it left' : 'no file';
    return { ...none, kind: 'absent', description };
  }
  if (!stats.isFile()) return { ...none, kind: 'unusable', description: 'not a regular file' };
  const size = formatBytes(stats.size);
  if (stats.size === 0) return { ...none, kind: 'empty', description: 'empty file' };
  const header = await readHeader(path);
  if (header === null)
    return { ...none, kind: 'foreign', description: `file of ${size} that is not a SQLite database` };
  const isEmpty = !header.hasTables && logBytes === 0;
  return { ...found, header, kind: isEmpty ? 'empty' : 'database', description: `database of ${size}` };
}

async function statOrNull(path: string): Promise<Stats | null> {
  try {
    return await stat(path);
  } catch (error) {
    if (hasErrnoCode(error, 'ENOENT', 'ENOTDIR')) return null;
    throw error;
  }
}

/** https://www.sqlite.org/fileformat.html#the_database_header */
async function readHeader(path: string): Promise<DatabaseHeader | null> {
  const handle = await open(path);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(108), 0, 108, 0);
    if (bytesRead < 108 || buffer.toString('latin1', 0, 16) !== 'SQLite format 3\0') return null;
    const pageSize = buffer.readUInt16BE(16);
    return {
      isWal: buffer.readUInt8(18) === 2,
      pageSize: pageSize === 1 ? 65536 : pageSize,
      // The schema's root page follows the header; a leaf (13) without cells means no table at all.
      hasTables: buffer.readUInt8(100) !== 13 || buffer.readUInt16BE(103) > 0,
    };
  } finally {
    await handle.close();
  }
}

/** Why a file cannot be looked at, for a problem line. */
export const unreadableReason = (error: unknown): string =>
  hasErrnoCode(error, 'EACCES', 'EPERM') ? 'no right to read it' : reasonOf(error);
