import { readFile, stat } from 'node:fs/promises';
import { usageError } from '../errors.ts';
import { fileReason } from './file-reason.ts';

/** The text of a file that the user named; a `usage` error when it cannot be read. */
export async function readTextFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw usageError(`cannot read ${path}: ${fileReason(error)}`, { cause: error });
  }
}

/** True when there is a regular file at a path. */
export async function isFile(path: string): Promise<boolean> {
  const stats = await stat(path).catch(() => undefined);
  return stats?.isFile() ?? false;
}
