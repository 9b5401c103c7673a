import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { eachInOrder } from '../each-limited.ts';
import { guardError, hasErrnoCode, reasonOf, targetError } from '../errors.ts';
import { snapshotFolder } from '../snapshots/keys.ts';
import type { ManifestArtifact } from '../snapshots/manifest.ts';
import { withFileList } from '../streams/file-list.ts';
import { verifyStored } from '../streams/hash-stored.ts';
import { keepHere } from '../streams/keep-here.ts';
import { asArtifact } from '../streams/listed-file.ts';
import { openArtifact } from '../streams/open-artifact.ts';
import type { SnapshotPlace } from './find-snapshot.ts';
import { stoppable, type Session } from './session.ts';
import { FILES_AT_ONCE } from './verify-folder.ts';

export interface DownloadInput {
  readonly place: SnapshotPlace;
  readonly id: string;
  readonly artifact: ManifestArtifact;
  readonly folder: string;
  /** Decoded, as the native tool reads it. */
  readonly native: boolean;
  readonly force: boolean;
}

const SUFFIX = /(?:\.(?:zst|gz))?(?:\.age)?$/;

/** Writes one artifact into a folder, whole or not at all, after its stored bytes were found right. */
export async function downloadArtifact(
  session: Session,
  input: DownloadInput,
): Promise<{ readonly path: string; readonly bytes: number }> {
  const { place, artifact, native } = input;
  const context = stoppable(session);
  const path = join(
    input.folder,
    native && (artifact.compression ?? artifact.encryption) !== null ? artifact.key.replace(SUFFIX, '') : artifact.key,
  );
  if (!input.force && (await exists(path)))
    throw guardError(`cannot download to ${path}: it exists`, { hint: '--force overwrites it' });
  const key = snapshotFolder(place.record.backup, input.id) + artifact.key;
  const temporary = `${path}.${session.context.host.pid}.part`;
  try {
    const stored = native
      ? artifact
      : { ...artifact, compression: null, encryption: null, rawBytes: artifact.storedBytes };
    await keepHere(place.repository, [{ ...artifact, key }], context, async (repository) => {
      await verifyStored(artifact, { repository, key }, context);
      await mkdir(dirname(path), { recursive: true });
      await openArtifact(stored, { repository, key }, context).into({ kind: 'file', path: temporary });
    });
    await rename(temporary, path);
    return { path, bytes: (await stat(path)).size };
  } catch (error) {
    await rm(temporary, { force: true });
    if (hasErrnoCode(error, 'ENOENT', 'EACCES', 'EROFS', 'ENOTDIR', 'ENOSPC'))
      throw targetError(`cannot download to ${path}: ${reasonOf(error)}`, { cause: error });
    throw error;
  }
}

/** Writes the files that an artifact lists below a folder of their own, each as `downloadArtifact` does. */
export async function downloadFiles(
  session: Session,
  input: DownloadInput,
): Promise<{ readonly path: string; readonly bytes: number } | null> {
  const { place, artifact } = input;
  const { folder } = artifact;
  if (folder === undefined) return null;
  const key = snapshotFolder(place.record.backup, input.id) + artifact.key;
  const context = stoppable(session);
  let bytes = 0;
  await verifyStored(artifact, { repository: place.repository, key }, context);
  await withFileList(openArtifact(artifact, { repository: place.repository, key }, context), context, async (files) => {
    const downloaded = eachInOrder(files(), FILES_AT_ONCE, (file) =>
      downloadArtifact(session, { ...input, artifact: asArtifact(folder, file) }),
    );
    for await (const one of downloaded) bytes += one.bytes;
  });
  return { path: join(input.folder, folder.key), bytes };
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
