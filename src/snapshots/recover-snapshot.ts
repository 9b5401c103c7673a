import { createHash } from 'node:crypto';
import { notFoundError } from '../errors.ts';
import type { ObjectVersion, ObjectVersions } from '../repositories/object-versions.ts';
import type { Repository } from '../repositories/repository.ts';
import type { Parsed } from './document.ts';
import { firstVersion, keptVersions, versionsOfKey } from './kept-versions.ts';
import { manifestKey, snapshotFolder, type SnapshotName } from './keys.ts';
import type { Manifest, ManifestArtifact } from './manifest.ts';
import { parseManifest } from './manifest-codec.ts';

/** A snapshot as the versions that a store keeps still have it, whatever was removed or written over since. */
export interface RecoveredSnapshot {
  readonly manifest: Manifest;
  /** Reads the manifest and the artifacts in the versions that fit; all else as it is. */
  readonly repository: Repository;
  /** Keys of artifacts of which no version fits the manifest. */
  readonly missing: readonly string[];
}

/** Looks for a snapshot in the versions of a repository; undefined where it keeps none of its manifest. */
export async function recoverSnapshot(
  repository: Repository,
  name: SnapshotName,
): Promise<Parsed<RecoveredSnapshot> | undefined> {
  const versions = await keptVersions(repository);
  if (versions === undefined) return undefined;
  const key = manifestKey(name.backup, name.id);
  const first = firstVersion(await versionsOfKey(versions, key));
  if (first === undefined) return undefined;
  const bytes = first.isNewest ? await repository.read(key) : await versions.read(key, first.version);
  const parsed = parseManifest(bytes, name);
  if (!parsed.ok) return parsed;
  const manifest = parsed.value;
  const folder = snapshotFolder(name.backup, name.id);
  const byKey = Map.groupBy(await versions.list(folder), (one) => one.key);
  const pinned = new Map<string, ObjectVersion | undefined>([[key, first]]);
  for (const artifact of Object.values(manifest.targets).flatMap((target) => target.artifacts)) {
    const candidates = byKey.get(folder + artifact.key) ?? [];
    pinned.set(folder + artifact.key, await fitting(versions, candidates, artifact));
    if (artifact.folder === undefined) continue;
    // What they must be says the list, to whoever reads them.
    for (const [file, all] of byKey)
      if (file.startsWith(folder + artifact.folder.key)) pinned.set(file, firstVersion(all));
  }
  const missing = [...pinned].filter(([, version]) => version === undefined).map(([lost]) => lost.slice(folder.length));
  return { ok: true, value: { manifest, repository: pin(repository, versions, pinned), missing } };
}

/** The version that a manifest means: told by its size or, where several have it, by its hash. */
async function fitting(
  versions: ObjectVersions,
  candidates: readonly ObjectVersion[],
  { storedBytes, storedSha256 }: ManifestArtifact,
): Promise<ObjectVersion | undefined> {
  const alike = candidates.filter(({ isMarker, bytes }) => !isMarker && bytes === storedBytes).toReversed();
  const contents = new Set(alike.map(({ content }) => content));
  if (contents.size <= 1) return alike[0];
  for (const one of alike) if ((await hashOf(versions, one)) === storedSha256) return one;
  return undefined;
}

async function hashOf(versions: ObjectVersions, { key, version }: ObjectVersion): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of await versions.open(key, version)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/**
 * A repository in which some keys stand for one version each, or for nothing. What is the newest version is read without
 * its name: that needs no right to read old ones.
 */
function pin(
  { versions: _all, presign, ...repository }: Repository,
  versions: ObjectVersions,
  found: ReadonlyMap<string, ObjectVersion | undefined>,
): Repository {
  const pinned = new Map([...found].filter(([, version]) => version?.isNewest !== true));
  const versionOf = (key: string): string => {
    const version = pinned.get(key);
    if (version !== undefined) return version.version;
    throw notFoundError(`cannot read ${JSON.stringify(key)} in ${repository.location}: no version of it is left`);
  };
  return {
    ...repository,
    read: async (key) => (pinned.has(key) ? versions.read(key, versionOf(key)) : repository.read(key)),
    open: async (key) => (pinned.has(key) ? versions.open(key, versionOf(key)) : repository.open(key)),
    stat: async (key) => {
      const version = pinned.get(key);
      if (!pinned.has(key)) return repository.stat(key);
      return version && { bytes: version.bytes, version: version.version };
    },
    ...(presign === undefined
      ? {}
      : {
          presign: async (key, validity) =>
            pinned.has(key) ? versions.presign(key, versionOf(key), validity) : presign(key, validity),
        }),
  };
}
