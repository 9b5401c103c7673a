import type { Repository } from '../repositories/repository.ts';
import type { Parsed } from './document.ts';
import { readIfPresent } from './identity.ts';
import type { SnapshotRecord } from './inventory.ts';
import { manifestKey, snapshotFolder, type SnapshotName } from './keys.ts';
import type { Manifest } from './manifest.ts';
import { parseManifest, slimManifest } from './manifest-codec.ts';
import { readMarks, type StoredMark } from './marks.ts';

/** One snapshot as it stands in a repository now. */
export interface StoredSnapshot {
  readonly manifest: Manifest;
  readonly marks: readonly StoredMark[];
  readonly record: SnapshotRecord;
}

/** Reads a manifest itself, never the catalog; undefined when there is none. */
export async function readManifest(repository: Repository, name: SnapshotName): Promise<Parsed<Manifest> | undefined> {
  const bytes = await readIfPresent(repository, manifestKey(name.backup, name.id));
  return bytes && parseManifest(bytes, name);
}

/** Reads a snapshot with its marks, never the catalog; undefined when there is none. */
export async function readSnapshot(
  repository: Repository,
  name: SnapshotName,
): Promise<Parsed<StoredSnapshot> | undefined> {
  const parsed = await readManifest(repository, name);
  if (parsed?.ok !== true) return parsed;
  const marks = await readMarks(repository, name);
  const folderPresent = (await repository.list(snapshotFolder(name.backup, name.id), 'shallow')).length > 0;
  const record: SnapshotRecord = {
    ...slimManifest(parsed.value),
    marks: marks.map(({ kind, at, data }) => ({ kind, at, data })),
    folderPresent,
  };
  return { ok: true, value: { manifest: parsed.value, marks, record } };
}
