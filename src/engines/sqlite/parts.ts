import { chmod, chown, lstat, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Context } from '../../context.ts';
import { hasErrnoCode } from '../../errors.ts';
import { type DatabaseFile, SIDECARS } from './file.ts';

/** A database is up to four files: itself and what SQLite keeps beside it. The database comes first. */
export const PARTS: readonly string[] = ['', ...SIDECARS];

/** True when a database file or one of its sidecars is there. */
export async function isTaken(path: string): Promise<boolean> {
  for (const part of PARTS) if (await isThere(`${path}${part}`)) return true;
  return false;
}

export async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (hasErrnoCode(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}

export async function moveIfThere(from: string, to: string): Promise<void> {
  await rename(from, to).catch((error: unknown) => {
    if (!hasErrnoCode(error, 'ENOENT')) throw error;
  });
}

/** Removes a database file with its sidecars. */
export async function removeDatabase(path: string): Promise<void> {
  for (const part of PARTS) await rm(`${path}${part}`, { force: true });
}

/**
 * Gives a file the owner and mode of the database it replaces; where there is none, the owner of the folder. False when
 * this user may not.
 */
export async function copyOwner(path: string, model: DatabaseFile, context: Context): Promise<boolean> {
  const { uid, gid } = model.stats ?? (await stat(dirname(model.path)));
  const own = await stat(path);
  if (context.host.uid === 0 || model.stats !== null) {
    if (own.uid !== uid || own.gid !== gid) {
      try {
        await chown(path, uid, gid);
      } catch (error) {
        if (!hasErrnoCode(error, 'EPERM')) throw error;
        return false;
      }
    }
  }
  if (model.stats !== null) await chmod(path, model.stats.mode & 0o7777);
  return true;
}

/** Makes renames in a file's folder durable. */
export async function syncFolderOf(path: string): Promise<void> {
  const folder = await open(dirname(path));
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
