import type { ObjectVersion } from '../repositories/object-versions.ts';
import type { Repository } from '../repositories/repository.ts';
import { MANIFESTS, parseDocumentKey, type SnapshotName } from './keys.ts';
import { firstVersion, isThere, keptVersions } from './kept-versions.ts';

/** The manifests of a repository as they were first written, with what somebody did to them since. */
export interface ManifestView {
  /** Lists and reads manifests in their first version; all else as it is. */
  readonly repository: Repository;
  /** Manifests that were removed while versions of them are left. */
  readonly removed: readonly SnapshotName[];
  /** Manifests that were written again with another content. */
  readonly overwritten: readonly SnapshotName[];
}

/**
 * Looks at all manifests by one listing of their versions. A manifest never changes, so the first version counts; where
 * the repository keeps none, what stands there is all that is known.
 */
export async function viewManifests(repository: Repository): Promise<ManifestView> {
  const versions = await keptVersions(repository);
  if (versions === undefined) return { repository, removed: [], overwritten: [] };
  const byKey = Map.groupBy(await versions.list(MANIFESTS), ({ key }) => key);
  const first = new Map<string, ObjectVersion>();
  const removed: SnapshotName[] = [];
  const overwritten: SnapshotName[] = [];
  for (const [key, all] of [...byKey].toSorted(([one], [other]) => (one < other ? -1 : 1))) {
    const name = parseDocumentKey(key);
    const written = firstVersion(all);
    if (name === undefined || written === undefined) continue;
    if (!isThere(all)) removed.push(name);
    else first.set(key, written);
    if (isThere(all) && all.some((one) => !one.isMarker && one.content !== written.content)) overwritten.push(name);
  }
  return {
    repository: {
      ...repository,
      list: async (prefix, depth) =>
        prefix === MANIFESTS && depth === 'deep' ? [...first.keys()] : repository.list(prefix, depth),
      read: async (key) => {
        const written = first.get(key);
        return written === undefined || written.isNewest ? repository.read(key) : versions.read(key, written.version);
      },
    },
    removed,
    overwritten,
  };
}
