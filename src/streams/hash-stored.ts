import { createHash, type Hash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import type { Context } from '../context.ts';
import { integrityError, throwIfAborted } from '../errors.ts';
import type { Repository } from '../repositories/repository.ts';
import type { ManifestArtifact } from '../snapshots/manifest.ts';
import { assertSize, openStored } from './stored-input.ts';

const BLOCK_BYTES = 1024 * 1024;

export interface StoredHash {
  readonly sha256: string;
  readonly bytes: number;
}

/** SHA-256 and size of a stored object as it is now. Throws `not-found` when it is gone. */
export async function hashStored(
  repository: Repository,
  key: string,
  context: Context,
  onProgress?: (bytes: number) => void,
): Promise<StoredHash> {
  const input = await openStored(repository, key, null);
  const hash = createHash('sha256');
  let bytes = 0;
  const progressed = (count: number): void => {
    throwIfAborted(context.signal);
    bytes += count;
    onProgress?.(bytes);
  };
  try {
    if (input.kind === 'file') await hashFile(input.handle, hash, progressed);
    else {
      for await (const chunk of await input.open()) {
        hash.update(chunk as Buffer);
        progressed((chunk as Buffer).length);
      }
    }
  } finally {
    await input.close();
  }
  return { sha256: hash.digest('hex'), bytes };
}

/** Throws `integrity` unless the stored object is exactly what the manifest says. */
export async function verifyStored(
  artifact: Pick<ManifestArtifact, 'storedBytes' | 'storedSha256'>,
  place: { readonly repository: Repository; readonly key: string },
  context: Context,
  onProgress?: (bytes: number) => void,
): Promise<void> {
  const { sha256, bytes } = await hashStored(place.repository, place.key, context, onProgress);
  assertSize(place.key, bytes, artifact.storedBytes);
  if (sha256 === artifact.storedSha256) return;
  throw integrityError(`cannot trust ${place.key}: its SHA-256 is not the one in the manifest`, {
    hint: 'another repository may hold a good copy: `bkp plan` shows it as `replace`',
  });
}

/** One block is read by a thread while the one before is hashed here: as fast as openssl, twice as fast as a stream. */
async function hashFile(handle: FileHandle, hash: Hash, progressed: (bytes: number) => void): Promise<void> {
  let current = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  let spare = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  let reading = handle.read(current, 0, BLOCK_BYTES, null);
  try {
    for (;;) {
      const { bytesRead } = await reading;
      if (bytesRead === 0) return;
      const full = current;
      [current, spare] = [spare, current];
      reading = handle.read(current, 0, BLOCK_BYTES, null);
      hash.update(full.subarray(0, bytesRead));
      progressed(bytesRead);
    }
  } finally {
    await reading.catch(() => undefined);
  }
}
