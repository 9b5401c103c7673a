import { lstatSync, statSync, type Stats } from 'node:fs';
import { hasErrnoCode } from '../../errors.ts';
import { checkKey } from '../key.ts';
import { explain, rootMissing } from './errors.ts';

/** Throws unless the root is a folder. The root itself may be reached through symbolic links. */
export function requireRoot(root: string): void {
  let stats: Stats | undefined;
  try {
    stats = statSync(root, { throwIfNoEntry: false });
  } catch (error) {
    throw explain(error, 'open', '', root);
  }
  if (stats === undefined) throw rootMissing(root);
  if (!stats.isDirectory()) throw rootMissing(root, 'it is not a folder');
}

/** The path of a key, after a look that no folder on the way is a symbolic link. */
export function safePath(root: string, key: string): string {
  checkKey(key);
  const end = key.lastIndexOf('/');
  if (end > 0) checkFolders(root, key.slice(0, end), key);
  return `${root}/${key}`;
}

/** Folders found plain in this turn of the event loop: thousands of keys of one folder cost one look. */
const plainFolders = new Set<string>();

function checkFolders(root: string, folders: string, key: string): void {
  const whole = `${root}/${folders}`;
  if (plainFolders.has(whole)) return;
  let folder = root;
  for (const segment of folders.split('/')) {
    folder = `${folder}/${segment}`;
    if (!isPlainFolder(root, folder, key)) return;
  }
  if (plainFolders.size === 0) setImmediate(() => plainFolders.clear());
  plainFolders.add(whole);
}

/** True when the path is a folder, false when nothing is there; throws for links and anything else. */
export function isPlainFolder(root: string, path: string, key: string): boolean {
  const stats = lookAt(root, path, key);
  if (stats === undefined) return false;
  if (stats.isSymbolicLink()) throw explain(errno('ELOOP'), 'open', path.slice(root.length + 1), root);
  if (!stats.isDirectory()) throw explain(errno('ENOTDIR'), 'open', path.slice(root.length + 1), root);
  return true;
}

/** What stands at a path; undefined when nothing does although the root is there. */
function lookAt(root: string, path: string, key: string): Stats | undefined {
  try {
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats !== undefined) return stats;
  } catch (error) {
    if (!hasErrnoCode(error, 'ENOTDIR')) throw explain(error, 'open', key, root);
  }
  requireRoot(root);
  return undefined;
}

/** Size and identity of an object; undefined for nothing or a folder, an error for links and devices. */
export function lookAtObject(root: string, key: string): Stats | undefined {
  return asObject(lookAt(root, safePath(root, key), key), root, key);
}

/** The same for what a path or an open file turned out to be. */
export function asObject(stats: Stats | undefined, root: string, key: string): Stats | undefined {
  if (stats === undefined || stats.isDirectory()) return undefined;
  if (stats.isSymbolicLink()) throw explain(errno('ELOOP'), 'open', key, root);
  if (!stats.isFile()) throw explain(new Error('it is not a regular file'), 'open', key, root);
  return stats;
}

const errno = (code: string): Error => Object.assign(new Error(code), { code });
