import type { Context } from '../context.ts';
import type { IncomingArtifact } from '../engines/engine.ts';
import type { Repository } from '../repositories/repository.ts';
import { snapshotFolder } from '../snapshots/keys.ts';
import type { ManifestTarget } from '../snapshots/manifest.ts';
import { keepHere } from '../streams/keep-here.ts';
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

/** Gives the repository with the artifacts of these targets kept on this machine once they were read. */
export function keepArtifactsHere<T>(
  repository: Repository,
  folder: string,
  id: string,
  targets: readonly ManifestTarget[],
  context: Context,
  use: (repository: Repository) => Promise<T>,
): Promise<T> {
  const artifacts = targets.flatMap((target) => target.artifacts);
  const sizes = artifacts.map((artifact) => ({ ...artifact, key: snapshotFolder(folder, id) + artifact.key }));
  return keepHere(repository, sizes, context, use);
}
