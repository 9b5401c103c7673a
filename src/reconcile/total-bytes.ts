import { bytesRaw, bytesStored, type ManifestArtifact } from '../snapshots/manifest.ts';

/** What artifacts are together, with the files that they list. Raw bytes that were not counted are left out. */
export const totalBytes = (
  artifacts: readonly ManifestArtifact[],
): { readonly raw: number; readonly stored: number } => ({
  raw: artifacts.reduce((sum, artifact) => sum + (bytesRaw(artifact) ?? 0), 0),
  stored: artifacts.reduce((sum, artifact) => sum + bytesStored(artifact), 0),
});
