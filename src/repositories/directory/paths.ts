import { lstatSync, statSync, type Stats } from 'node:fs';
import { join } from 'node:path';
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
  const segments = key.split('/');
  let folder = root;
  for (const segment of segments.slice(0, -1)) {
    folder = join(folder, segment);
    if (!isPlainFolder(root, folder, key)) break;
  }
  return join(root, ...segments);
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
export function lookAt(root: string, path: string, key: string): Stats | undefined {
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
  const stats = lookAt(root, safePath(root, key), key);
  if (stats === undefined || stats.isDirectory()) return undefined;
  if (stats.isSymbolicLink()) throw explain(errno('ELOOP'), 'open', key, root);
  if (!stats.isFile()) throw explain(new Error('it is not a regular file'), 'open', key, root);
  return stats;
}

const errno = (code: string): Error => Object.assign(new Error(code), { code });
