import { rename, rm, writeFile } from 'node:fs/promises';
import { usageError } from '../errors.ts';
import { fileReason } from './file-reason.ts';

/** Writes a result file that the user named, whole or not at all, readable by its owner only. */
export async function writeNewOrReplace(path: string, text: string): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await writeFile(temporary, text, { mode: 0o600, flag: 'wx' });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw usageError(`cannot write ${path}: ${fileReason(error)}`, { cause: error });
  }
}
