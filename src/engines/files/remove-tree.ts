import { chmodSync, type Dirent, lstatSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { hasErrnoCode } from '../../errors.ts';
import { type ByteName, joinNames, toBuffer } from './byte-name.ts';

const ATTEMPTS = 100;
const PAUSE_MS = 20;

/**
 * Removes a tree that nobody else can reach, whatever its names and modes; follows no symlink, enters no other file
 * system, and cannot be aborted. What is not there is removed. A program that outlived its killed parent may still write
 * into it for a moment: it is tried again then.
 */
export async function removeTree(path: ByteName): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await removeOnce(path);
      return;
    } catch (error) {
      if (attempt === ATTEMPTS || !hasErrnoCode(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT')) throw error;
      await setTimeout(PAUSE_MS);
    }
  }
}

async function removeOnce(path: ByteName): Promise<void> {
  const stats = lstatSync(toBuffer(path), { throwIfNoEntry: false });
  if (stats === undefined) return;
  if (!stats.isDirectory()) {
    unlinkSync(toBuffer(path));
    return;
  }
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
    else if (lstatSync(toBuffer(child)).dev === stats.dev) enter(child);
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
