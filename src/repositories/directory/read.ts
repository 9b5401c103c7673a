import { closeSync, constants, fstatSync, openSync, readdirSync, readFileSync, readSync, type Dirent } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { hasErrnoCode, notFoundError, type BkpError } from '../../errors.ts';
import { checkPrefix, isKeySegment } from '../key.ts';
import type { ObjectStat } from '../repository.ts';
import { explain } from './errors.ts';
import { asObject, isPlainFolder, lookAtObject, requireRoot, safePath } from './paths.ts';

const READ_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const CHUNK_BYTES = 512 * 1024;
/** Folders read between two turns of the event loop: timers and signals go on while a large repository is listed. */
const FOLDERS_PER_TURN = 256;

/** Reads a whole small object; synchronous inside, which is 15 times faster for the thousands of a planning run. */
export function readObject(root: string, key: string): Buffer {
  const path = safePath(root, key);
  let file: number | undefined;
  try {
    file = openSync(path, READ_FLAGS);
    const stats = asObject(fstatSync(file), root, key);
    if (stats === undefined) throw missing(root, key);
    const content = Buffer.allocUnsafe(stats.size);
    return readSync(file, content) === stats.size ? content : readFileSync(path);
  } catch (error) {
    if (hasErrnoCode(error, 'ENOENT', 'ENOTDIR')) {
      requireRoot(root);
      throw missing(root, key);
    }
    throw explain(error, 'read', key, root);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** Opens an object for streaming; what fails on the way is a `repository` error of the stream. */
export async function openObject(root: string, key: string): Promise<Readable> {
  if (lookAtObject(root, key) === undefined) throw missing(root, key);
  try {
    return streamOf(await open(safePath(root, key), READ_FLAGS), (error) => explain(error, 'read', key, root));
  } catch (error) {
    if (hasErrnoCode(error, 'ENOENT')) throw missing(root, key);
    throw explain(error, 'open', key, root);
  }
}

function streamOf(file: FileHandle, wrap: (error: unknown) => BkpError): Readable {
  return new Readable({
    highWaterMark: CHUNK_BYTES,
    read(): void {
      file.read({ buffer: Buffer.allocUnsafeSlow(CHUNK_BYTES) }).then(
        ({ bytesRead, buffer }) => this.push(bytesRead === 0 ? null : buffer.subarray(0, bytesRead)),
        (error: unknown) => this.destroy(wrap(error)),
      );
    },
    destroy(error, done): void {
      file.close().then(
        () => done(error),
        (closing: unknown) => done(error ?? wrap(closing)),
      );
    },
  });
}

/** What is known of an object without opening it. */
export function statObject(root: string, key: string): ObjectStat | undefined {
  const stats = lookAtObject(root, key);
  return stats && { bytes: stats.size, version: `${stats.ino}.${stats.size}.${stats.mtimeMs}` };
}

/** Sorted keys below a prefix. Names that cannot be keys and the store's own dot folders are not shown. */
export async function listObjects(root: string, prefix: string, depth: 'deep' | 'shallow'): Promise<readonly string[]> {
  checkPrefix(prefix);
  requireRoot(root);
  if (prefix !== '') {
    const path = safePath(root, prefix.slice(0, -1));
    if (!isPlainFolder(root, path, prefix)) return [];
  }
  const keys: string[] = [];
  const open = [prefix];
  for (let folder = open.pop(), read = 1; folder !== undefined; folder = open.pop(), read++) {
    if (read % FOLDERS_PER_TURN === 0) await setImmediate();
    const isOpened = folder.endsWith('/') || folder === '';
    const isListed = folder === prefix || (isOpened && depth === 'deep');
    if (isListed) open.push(...entriesOf(root, folder).reverse());
    else keys.push(folder);
  }
  return keys;
}

/** Keys directly in a folder, sorted so that depth first is also the order of full keys. */
function entriesOf(root: string, prefix: string): string[] {
  let entries: Dirent[];
  try {
    entries = readdirSync(join(root, prefix), { withFileTypes: true });
  } catch (error) {
    // Somebody removed the folder's last object meanwhile.
    if (hasErrnoCode(error, 'ENOENT') && prefix !== '') return [];
    throw explain(error, 'list', prefix, root);
  }
  const keys: string[] = [];
  for (const entry of entries) {
    if (!isKeySegment(entry.name)) continue;
    const key = prefix + entry.name;
    if (entry.isFile()) keys.push(key);
    else if (entry.isDirectory()) keys.push(`${key}/`);
    else if (entry.isSymbolicLink())
      throw explain(Object.assign(new Error('link'), { code: 'ELOOP' }), 'list', key, root);
  }
  return keys.sort();
}

const missing = (root: string, key: string): BkpError =>
  notFoundError(`cannot read ${JSON.stringify(key)} in ${root}: it does not exist`);
