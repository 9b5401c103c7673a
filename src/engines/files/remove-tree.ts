import { chmodSync, type Dirent, lstatSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { hasErrnoCode } from '../../errors.ts';
import { type ByteName, joinNames, toBuffer } from './byte-name.ts';

/**
 * Removes a tree that nobody else can reach, whatever its names and modes; follows no symlink, enters no other file
 * system, and cannot be aborted. What is not there is removed.
 */
export async function removeTree(path: ByteName): Promise<void> {
  const stats = lstatSync(toBuffer(path), { throwIfNoEntry: false });
  if (stats === undefined) return;
  if (!stats.isDirectory()) {
    unlinkSync(toBuffer(path));
    return;
  }
  const device = stats.dev;
  const open: { readonly path: ByteName; readonly entries: Iterator<Dirent<Buffer>> }[] = [];
  const enter = (folder: ByteName): void => {
    open.push({ path: folder, entries: readEntries(folder).values() });
  };
  enter(path);
  for (let folder = open.at(-1); folder !== undefined; folder = open.at(-1)) {
    const next = folder.entries.next();
    if (next.done === true) {
      rmdirSync(toBuffer(folder.path));
      open.pop();
      await setImmediate();
      continue;
    }
    const child = joinNames(folder.path, next.value.name.toString('latin1'));
    if (!next.value.isDirectory()) unlinkSync(toBuffer(child));
    else if (lstatSync(toBuffer(child)).dev === device) enter(child);
    else throw new Error(`another file system is mounted at ${child}`);
  }
}

/** A folder without rights for its own owner is given them first. */
function readEntries(folder: ByteName): readonly Dirent<Buffer>[] {
  const path = toBuffer(folder);
  const mode = lstatSync(path).mode & 0o7777;
  try {
    if ((mode & 0o700) !== 0o700) chmodSync(path, mode | 0o700);
  } catch (error) {
    if (!hasErrnoCode(error, 'EPERM')) throw error;
  }
  return readdirSync(path, { withFileTypes: true, encoding: 'buffer' });
}
