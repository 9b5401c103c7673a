import type { Dir, Dirent } from 'node:fs';
import { opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { hasErrnoCode } from '../../errors.ts';
import { checkPrefix, isKeySegment } from '../key.ts';
import { explain } from './errors.ts';
import { isPlainFolder, requireRoot, safePath } from './paths.ts';

const KEYS_PER_PAGE = 1000;

/** Keys below a prefix as the file system gives them: of a folder with millions only some are in memory. */
export async function* pagesOfKeys(root: string, prefix: string): AsyncGenerator<readonly string[], undefined> {
  checkPrefix(prefix);
  requireRoot(root);
  if (prefix !== '' && !isPlainFolder(root, safePath(root, prefix.slice(0, -1)), prefix)) return undefined;
  const folders = [prefix];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    let page: string[] = [];
    for await (const entry of entriesIn(root, folder)) {
      if (!isKeySegment(entry.name)) continue;
      const key = folder + entry.name;
      if (entry.isSymbolicLink()) throw explain(Object.assign(new Error('link'), { code: 'ELOOP' }), 'list', key, root);
      if (entry.isDirectory()) folders.push(`${key}/`);
      if (!entry.isFile()) continue;
      page.push(key);
      if (page.length < KEYS_PER_PAGE) continue;
      yield page;
      page = [];
    }
    if (page.length > 0) yield page;
  }
  return undefined;
}

async function* entriesIn(root: string, folder: string): AsyncGenerator<Dirent, undefined> {
  try {
    const opened: Dir = await opendir(join(root, folder), { bufferSize: KEYS_PER_PAGE });
    yield* opened;
  } catch (error) {
    // Somebody removed the folder's last object meanwhile.
    if (!hasErrnoCode(error, 'ENOENT') || folder === '') throw explain(error, 'list', folder, root);
  }
  return undefined;
}
