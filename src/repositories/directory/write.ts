import { lstatSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { hasErrnoCode, repositoryError } from '../../errors.ts';
import type { FileSteps } from '../file-steps.ts';
import { explain } from './errors.ts';
import { isPlainFolder, lookAtObject, requireRoot, safePath } from './paths.ts';
import { TEMPORARY_FOLDER } from './temporary.ts';
import { writeTemporary } from './write-temporary.ts';

/** What a writer needs to know of its repository. */
export interface Writer {
  readonly root: string;
  readonly singleWriter: boolean;
  readonly steps: FileSteps;
  readonly newTemporaryName: () => string;
}

/** A folder can vanish with its last object while another writer is about to use it. */
const PLACING_TRIES = 20;

/** Writes an object whole: temporary file, sync, rename, sync of the folder. Refuses to replace anything but a file. */
export async function putObject(writer: Writer, key: string, content: Readable | Uint8Array): Promise<number> {
  if (content instanceof Uint8Array) return putContent(writer, key, content);
  // A source that fails before it is read must not end the process.
  content.on('error', () => undefined);
  try {
    return await putContent(writer, key, content);
  } finally {
    content.destroy();
  }
}

async function putContent(writer: Writer, key: string, content: Readable | Uint8Array): Promise<number> {
  const path = safePath(writer.root, key);
  lookAtObject(writer.root, key);
  const temporary = await writeInFolder(writer, key, content);
  try {
    await place(writer, path, () => writer.steps.rename(temporary.path, path));
    return temporary.bytes;
  } catch (error) {
    await discard(writer, temporary.path);
    throw explain(error, 'write', key, writer.root);
  }
}

/** Writes a small object only if its key is free: the link of a finished temporary file is exclusive. */
export async function createObject(writer: Writer, key: string, content: Uint8Array): Promise<boolean> {
  const path = safePath(writer.root, key);
  if (lookAtObject(writer.root, key) !== undefined) return false;
  const temporary = await writeInFolder(writer, key, content);
  try {
    return await publish(writer, temporary.path, path);
  } catch (error) {
    throw explain(error, 'create', key, writer.root);
  } finally {
    await discard(writer, temporary.path);
  }
}

async function publish(writer: Writer, temporary: string, path: string): Promise<boolean> {
  try {
    await place(writer, path, () => writer.steps.link(temporary, path));
    return true;
  } catch (error) {
    // A network file system may lose the answer to a link that it made.
    if (hasErrnoCode(error, 'EEXIST')) return lstatSync(temporary).nlink === 2;
    if (!hasErrnoCode(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK')) throw error;
    if (!writer.singleWriter) throw noExclusiveCreate(writer.root, error);
  }
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) return false;
  await place(writer, path, () => writer.steps.rename(temporary, path));
  return true;
}

const noExclusiveCreate = (root: string, cause: unknown): Error =>
  repositoryError(`cannot create files exclusively in ${root}: its file system has no hard links`, {
    hint: 'where only one runner writes there, set `singleWriter: true` on the repository',
    cause,
  });

/** Removes an object and the folders it leaves empty; also those that a writer made for it and died. */
export async function removeObject({ root, steps }: Writer, key: string): Promise<void> {
  const isThere = lookAtObject(root, key) !== undefined;
  const path = safePath(root, key);
  try {
    if (isThere) await steps.removeFile(path);
    let folder = dirname(path);
    while (!isThere && folder !== root && lstatSync(folder, { throwIfNoEntry: false }) === undefined)
      folder = dirname(folder);
    const start = folder;
    while (folder !== root && (await removeIfEmpty(steps, folder))) folder = dirname(folder);
    if (isThere || folder !== start) await steps.syncFolder(folder);
  } catch (error) {
    if (!hasErrnoCode(error, 'ENOENT')) throw explain(error, 'remove', key, root);
    requireRoot(root);
  }
}

async function removeIfEmpty(steps: FileSteps, folder: string): Promise<boolean> {
  try {
    await steps.removeFolder(folder);
    return true;
  } catch (error) {
    if (hasErrnoCode(error, 'ENOTEMPTY', 'EEXIST')) return false;
    if (hasErrnoCode(error, 'ENOENT')) return true;
    throw error;
  }
}

async function writeInFolder(
  writer: Writer,
  key: string,
  content: Readable | Uint8Array,
): Promise<{ readonly path: string; readonly bytes: number }> {
  const { root, steps } = writer;
  const path = join(root, TEMPORARY_FOLDER, writer.newTemporaryName());
  try {
    await ensureFolder(writer, dirname(path));
    const bytes = await writeTemporary(steps, path, content, (error) => explain(error, 'write', key, root));
    return { path, bytes };
  } catch (error) {
    await discard(writer, path);
    throw error;
  }
}

/** Removes a temporary file. What cannot be removed now is swept later. */
export async function discard(writer: Writer, temporary: string): Promise<void> {
  try {
    if (lstatSync(temporary, { throwIfNoEntry: false }) !== undefined) await writer.steps.removeFile(temporary);
  } catch {
    // The first error is the one to tell.
  }
}

/** Gives an object its name, in a folder that is made where it is missing, and makes the name durable. */
export async function place(writer: Writer, path: string, name: () => Promise<void>): Promise<void> {
  const folder = dirname(path);
  for (let tries = 1; ; tries++) {
    try {
      await name();
      break;
    } catch (error) {
      if (!hasErrnoCode(error, 'ENOENT') || tries === PLACING_TRIES) throw error;
    }
    await ensureFolder(writer, folder);
  }
  await writer.steps.syncFolder(folder);
}

/** Makes a folder below the root, and those above it, where they are missing. */
export async function ensureFolder(writer: Writer, folder: string): Promise<void> {
  const { root, steps } = writer;
  if (folder === root) return requireRoot(root);
  if (isPlainFolder(root, folder, folder.slice(root.length + 1))) return;
  await ensureFolder(writer, dirname(folder));
  try {
    await steps.makeFolder(folder);
    await steps.syncFolder(dirname(folder));
  } catch (error) {
    // Another writer made it, or removed its parent again; placing sees that.
    if (!hasErrnoCode(error, 'EEXIST', 'ENOENT')) throw explain(error, 'make', folder.slice(root.length + 1), root);
  }
}
