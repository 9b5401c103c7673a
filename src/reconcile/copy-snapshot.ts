import type { Context } from '../context.ts';
import { BkpError } from '../errors.ts';
import type { Repository } from '../repositories/repository.ts';
import type { Manifest, ManifestArtifact } from '../snapshots/manifest.ts';
import { snapshotFolder } from '../snapshots/keys.ts';
import { verifyStored } from '../streams/hash-stored.ts';

/** One repository to another: the stored bytes as they are, hashed on the way out of the receiver. */
export interface CopyArtifactInput {
  readonly manifest: Manifest;
  readonly artifact: ManifestArtifact;
  readonly from: Repository;
  readonly to: Repository;
  /** Folder name of the backup in each repository (they differ after a rename). */
  readonly fromBackup: string;
  readonly toBackup: string;
}

/** The source of a copy is not what its manifest says: learned about the snapshot there, not about the receiver. */
export class DamagedSource extends BkpError {
  readonly artifact: string;

  constructor(artifact: string, cause: BkpError) {
    super(cause.code, cause.message, { hint: cause.hint, cause });
    this.artifact = artifact;
  }
}

/**
 * Copies one artifact. The source is hashed before anything is written, the copy after it was stored: a damaged source is
 * never spread. Throws `DamagedSource`, or `integrity` when the copy differs from the manifest.
 */
export async function copyArtifact(input: CopyArtifactInput, context: Context): Promise<void> {
  const { manifest, artifact, from, to } = input;
  const source = snapshotFolder(input.fromBackup, manifest.id) + artifact.key;
  const destination = snapshotFolder(input.toBackup, manifest.id) + artifact.key;
  try {
    await verifyStored(artifact, { repository: from, key: source }, context);
  } catch (error) {
    if (error instanceof BkpError && (error.code === 'integrity' || error.code === 'not-found'))
      throw new DamagedSource(artifact.key, error);
    throw error;
  }
  const content = await from.open(source);
  context.signal.throwIfAborted();
  await to.put(destination, content);
  await verifyStored(artifact, { repository: to, key: destination }, context);
}
