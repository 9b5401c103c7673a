import type { Context } from '../context.ts';
import { eachInOrder } from '../each-limited.ts';
import { integrityError, throwIfAborted } from '../errors.ts';
import type { ArtifactFolder } from '../snapshots/manifest.ts';
import type { ListedFile } from '../streams/bytes.ts';
import { type FileList, withFileList } from '../streams/file-list.ts';
import { asArtifact } from '../streams/listed-file.ts';
import { openArtifact } from '../streams/open-artifact.ts';
import { type ArtifactPlace, copyArtifact, DamagedSource, hasArrived } from './copy-artifact.ts';
import { type EarlierFolder, withEarlierFiles } from './earlier-files.ts';
import { FILES_AT_ONCE } from './verify-folder.ts';

export interface FolderCopy {
  readonly from: ArtifactPlace;
  readonly to: ArtifactPlace;
  /** What an earlier snapshot in the receiver has. */
  readonly known: ArtifactPlace | undefined;
  /** Some of it may be there: what is as it should be is left alone. */
  readonly isThereInPart: boolean;
}

/**
 * Copies an artifact that lists files: the list, then every file that is not there yet, each checked as any artifact is,
 * unless the receiver makes it of its own.
 * Throws `DamagedSource` with the key of the list.
 */
export async function copyFolder({ from, to, known, isThereInPart }: FolderCopy, context: Context): Promise<void> {
  await copyArtifact(from, to, context);
  const list = openArtifact(to.artifact, { repository: to.repository, key: to.folder + to.artifact.key }, context);
  // The files are told of together.
  const quiet: Context = { ...context, emit: () => undefined };
  await withFileList(list, context, (files) =>
    withEarlierFiles(known, context, async (earlier) => {
      let bytes = 0;
      for await (const copied of eachInOrder(withEarlier(files, earlier), FILES_AT_ONCE, copyOne)) {
        throwIfAborted(context.signal);
        bytes += copied;
        const subject = `copying ${from.artifact.key}`;
        context.emit({ type: 'progress', subject, bytes, totalBytes: folderOf(from).bytes });
      }

      async function copyOne({ file, before, bytes: size }: Wanted): Promise<number> {
        const there = { ...to, artifact: asArtifact(folderOf(to), file) };
        if (isThereInPart && (await hasArrived(there, quiet))) return size;
        const isSame = before?.sha256 === file.sha256 && before.bytes === file.bytes;
        const key = there.folder + there.artifact.key;
        // As a capture does it: whether what the store copies still is what it was, is for `verify` to say.
        if (isSame && (await to.repository.clone(earlier.folder + before.entry, key, file.bytes))) return size;
        await copyArtifact({ ...from, artifact: asArtifact(folderOf(from), file) }, there, quiet).catch(
          (error: unknown) => {
            throw error instanceof DamagedSource ? new DamagedSource(from.artifact.key, error) : error;
          },
        );
        return size;
      }
    }),
  );
}

interface Wanted {
  readonly file: ListedFile;
  readonly before: ListedFile | undefined;
  readonly bytes: number;
}

async function* withEarlier(files: FileList, earlier: EarlierFolder): AsyncGenerator<Wanted> {
  for await (const file of files()) yield { file, before: await earlier.find(file.key), bytes: file.bytes };
}

function folderOf({ artifact: { key, folder } }: ArtifactPlace): ArtifactFolder {
  if (folder === undefined) throw integrityError(`cannot copy ${key}: its manifest names no folder of files`);
  return folder;
}
