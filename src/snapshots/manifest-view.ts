import type { ObjectVersion, ObjectVersions } from '../repositories/object-versions.ts';
import type { ListedObject, Repository } from '../repositories/repository.ts';
import { MANIFESTS, parseDocumentKey, type SnapshotName } from './keys.ts';
import { foldersIn } from './list-backups.ts';
import { firstVersion, isThere, keptVersions } from './kept-versions.ts';

/** The manifests of a repository as they were first written, with what somebody did to them since. */
export interface ManifestView {
  /** Lists and reads manifests in their first version; all else as it is. */
  readonly repository: Repository;
  /** What the one listing of manifests found that is not as it was written. */
  readonly changes: () => Promise<ManifestChanges>;
}

export interface ManifestChanges {
  /** Manifests that were removed while versions of them are left. */
  readonly removed: readonly SnapshotName[];
  /** Manifests that were written again with another content. */
  readonly overwritten: readonly SnapshotName[];
}

interface Look extends ManifestChanges {
  /** The first versions of manifests that are there, by key, sorted. */
  readonly first: ReadonlyMap<string, ObjectVersion>;
}

/**
 * Sees all manifests, or those of some backups, by one listing of their versions, made when they are first listed. A manifest never changes, so the
 * first version counts; where the repository keeps none, what stands there is all that is known.
 */
export async function viewManifests(repository: Repository, backups?: ReadonlySet<string>): Promise<ManifestView> {
  const versions = await keptVersions(repository);
  if (versions === undefined) return { repository, changes: async () => ({ removed: [], overwritten: [] }) };
  let looking: Promise<Look> | undefined;
  const look = (): Promise<Look> => (looking ??= lookAt(versions, foldersIn(MANIFESTS, backups)));
  const listed = async (prefix: string): Promise<readonly ListedObject[]> =>
    [...(await look()).first.values()]
      .filter(({ key }) => key.startsWith(prefix))
      .map(({ key, content }) => ({ key, version: content.replaceAll('"', '') }));
  const { listVersions } = repository;
  return {
    repository: {
      ...repository,
      ...(listVersions === undefined
        ? {}
        : { listVersions: (prefix) => (prefix.startsWith(MANIFESTS) ? listed(prefix) : listVersions(prefix)) }),
      read: async (key) => {
        const written = key.startsWith(MANIFESTS) ? (await look()).first.get(key) : undefined;
        return written === undefined || written.isNewest ? repository.read(key) : versions.read(key, written.version);
      },
    },
    changes: look,
  };
}

async function lookAt(versions: ObjectVersions, folders: readonly string[]): Promise<Look> {
  const all = await Promise.all(folders.map((folder) => versions.list(folder)));
  const byKey = Map.groupBy(all.flat(), ({ key }) => key);
  const first = new Map<string, ObjectVersion>();
  const removed: SnapshotName[] = [];
  const overwritten: SnapshotName[] = [];
  for (const [key, all] of [...byKey].toSorted(([one], [other]) => (one < other ? -1 : 1))) {
    const name = parseDocumentKey(key);
    const written = firstVersion(all);
    if (name === undefined || written === undefined) continue;
    if (!isThere(all)) removed.push(name);
    else {
      first.set(key, written);
      if (all.some(({ isMarker, content }) => !isMarker && content !== written.content)) overwritten.push(name);
    }
  }
  return { first, removed, overwritten };
}
