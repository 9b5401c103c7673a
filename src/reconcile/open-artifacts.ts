import type { Context } from '../context.ts';
import type { IncomingArtifact } from '../engines/engine.ts';
import type { Repository } from '../repositories/repository.ts';
import { snapshotFolder } from '../snapshots/keys.ts';
import type { ManifestTarget } from '../snapshots/manifest.ts';
import { openArtifact } from '../streams/open-artifact.ts';

/** The stored artifacts of one target as engines read them. */
export const openArtifacts = (
  repository: Repository,
  folder: string,
  id: string,
  target: ManifestTarget,
  context: Context,
): readonly IncomingArtifact[] =>
  target.artifacts.map((artifact) =>
    openArtifact(artifact, { repository, key: snapshotFolder(folder, id) + artifact.key }, context),
  );
