import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { guardError, hasErrnoCode, reasonOf, targetError } from '../errors.ts';
import { snapshotFolder } from '../snapshots/keys.ts';
import type { ManifestArtifact } from '../snapshots/manifest.ts';
import { verifyStored } from '../streams/hash-stored.ts';
import { keepHere } from '../streams/keep-here.ts';
import { openArtifact } from '../streams/open-artifact.ts';
import type { SnapshotPlace } from './find-snapshot.ts';
import { stoppable, type Session } from './session.ts';

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

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
