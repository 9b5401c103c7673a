import { statfs } from 'node:fs/promises';
import { type BkpError, targetError } from '../errors.ts';
import { formatBytes } from '../format-bytes.ts';

/** Throws `target`, naming both sizes, when a folder's file system has less free space than needed. */
export async function requireFreeSpace(folder: string, neededBytes: number, action: string): Promise<void> {
  const free = await freeBytes(folder);
  if (free < neededBytes) throw tooLittleSpace(folder, neededBytes, free, action);
}

/** Bytes an unprivileged writer may still use. */
async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

function tooLittleSpace(folder: string, needed: number, free: number, action: string): BkpError {
  return targetError(
    `cannot ${action}: it needs ${formatBytes(needed)} in ${folder}, where ${formatBytes(free)} are free`,
    {
      hint: 'free some space, or set TMPDIR to a larger place when this is the temporary folder',
    },
  );
}
