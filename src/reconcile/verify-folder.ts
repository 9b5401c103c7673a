import type { Context } from '../context.ts';
import { eachInOrder, type Room } from '../each-limited.ts';
import { BkpError, integrityError, reasonOf, throwIfAborted } from '../errors.ts';
import type { Repository } from '../repositories/repository.ts';
import type { ManifestArtifact } from '../snapshots/manifest.ts';
import { withFileList } from '../streams/file-list.ts';
import { verifyStored } from '../streams/hash-stored.ts';
import { asArtifact } from '../streams/listed-file.ts';
import { openArtifact } from '../streams/open-artifact.ts';

/** Files that are read or copied at once: many small ones, a few large ones. */
export const FILES_AT_ONCE: Room<{ readonly bytes: number }> = {
  items: 16,
  weight: 64 * 1024 * 1024,
  weigh: ({ bytes }) => bytes,
};

const MOST_NAMED = 5;

/**
 * Hashes the stored bytes of an artifact and of every file that it lists. Throws `integrity` that names files which are
 * missing or differ.
 */
export async function verifyArtifact(
  artifact: ManifestArtifact,
  { repository, folder: at }: { readonly repository: Repository; readonly folder: string },
  context: Context,
  onProgress: (bytes: number) => void,
): Promise<void> {
  const { folder, key, storedBytes } = artifact;
  const place = { repository, key: at + key };
  await verifyStored(artifact, place, context, onProgress);
  if (folder === undefined) return;
  const named: string[] = [];
  const counted = { files: 0, bytes: 0, damaged: 0 };
  await withFileList(openArtifact(artifact, place, context), context, async (files) => {
    const checked = eachInOrder(files(), FILES_AT_ONCE, async (file) => {
      const stored = asArtifact(folder, file);
      const reason = await damageOf(() => verifyStored(stored, { repository, key: at + stored.key }, context));
      return { file, reason };
    });
    for await (const { file, reason } of checked) {
      throwIfAborted(context.signal);
      counted.files++;
      counted.bytes += file.bytes;
      onProgress(storedBytes + counted.bytes);
      if (reason === null) continue;
      counted.damaged++;
      if (named.length < MOST_NAMED) named.push(`${JSON.stringify(file.key)} (${reason})`);
    }
  });
  if (counted.damaged > 0) {
    const more = counted.damaged > named.length ? `, and ${counted.damaged - named.length} more` : '';
    throw integrityError(
      `cannot trust ${key}: ${counted.damaged} of its ${counted.files} files are not what it says: ${named.join(', ')}${more}`,
    );
  }
  if (counted.files !== folder.files || counted.bytes !== folder.bytes)
    throw integrityError(`cannot trust ${key}: it lists ${counted.files} files, the manifest ${folder.files}`);
}

/** What is wrong with stored bytes; null where nothing is. What says nothing about them is thrown. */
export async function damageOf(check: () => Promise<unknown>): Promise<string | null> {
  try {
    await check();
    return null;
  } catch (error) {
    if (error instanceof BkpError && (error.code === 'integrity' || error.code === 'not-found')) return reasonOf(error);
    throw error;
  }
}
