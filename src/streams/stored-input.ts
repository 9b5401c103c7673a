import { type FileHandle, open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { BkpError, hasErrnoCode, integrityError, notFoundError, repositoryError, reasonOf } from '../errors.ts';
import type { Repository } from '../repositories/repository.ts';

/** Stored bytes of one object, opened for reading: as an open file where it lies on this machine, else as a stream. */
export type StoredInput =
  | { readonly kind: 'file'; readonly handle: FileHandle; close(): Promise<void> }
  | { readonly kind: 'stream'; open(): Promise<Readable>; close(): Promise<void> };

/** Opens an object; throws `integrity` when its size is not the expected one, where that is known before reading. */
export async function openStored(repository: Repository, key: string, bytes: number | null): Promise<StoredInput> {
  const path = repository.localPath(key);
  if (path === undefined) {
    return { kind: 'stream', open: () => repository.open(key), close: () => Promise.resolve() };
  }
  return openFile(path, key, bytes).catch((error: unknown) => {
    if (error instanceof BkpError) throw error;
    if (hasErrnoCode(error, 'ENOENT')) throw notFoundError(`cannot open ${key}: it is not in ${repository.location}`);
    throw repositoryError(`cannot open ${key} in ${repository.location}: ${reasonOf(error)}`, { cause: error });
  });
}

/** Opens a file; throws `integrity` when its size is not the expected one. */
export async function openFile(path: string, key: string, bytes: number | null): Promise<StoredInput> {
  const handle = await open(path);
  try {
    if (bytes !== null) assertSize(key, (await handle.stat()).size, bytes);
  } catch (error) {
    await handle.close();
    throw error;
  }
  return { kind: 'file', handle, close: () => handle.close() };
}

export function assertSize(key: string, found: number, expected: number): void {
  if (found === expected) return;
  throw integrityError(`cannot read ${key}: it has ${found} bytes, the manifest says ${expected}`);
}
