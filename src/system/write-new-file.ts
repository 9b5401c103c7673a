import { access, writeFile } from 'node:fs/promises';
import { hasErrnoCode, reasonOf, usageError } from '../errors.ts';

/** Writes a file that must not be there yet; false when something is. One that holds a secret is for its owner only. */
export async function writeNewFile(path: string, text: string, isSecret: boolean = false): Promise<boolean> {
  try {
    await writeFile(path, text, { flag: 'wx', ...(isSecret ? { mode: 0o600, flush: true } : {}) });
    return true;
  } catch (error) {
    if (hasErrnoCode(error, 'EEXIST')) return false;
    throw usageError(`cannot write ${path}: ${reasonOf(error)}`, { cause: error });
  }
}

/** True when something is at the path, also when it cannot be read. */
export async function fileExists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    return !hasErrnoCode(error, 'ENOENT', 'ENOTDIR');
  }
}
