import { hash } from 'node:crypto';
import type { Repository } from '../repositories/repository.ts';
import type { CatalogPart } from './catalog.ts';
import { readIfPresent } from './identity.ts';
import type { GoneSnapshot, MarkRecord, SnapshotRecord, UnreadableManifest } from './inventory.ts';
import { manifestKey, parseMarkKey, runKey, snapshotFolder, type SnapshotName } from './keys.ts';
import type { BackupListing } from './list-backups.ts';
import { parseManifest, slimManifest } from './manifest-codec.ts';
import { isCleaned, marksAbout, readMark } from './marks.ts';
import type { CachedManifest } from './pack-manifests.ts';
import { artifactKeys, readManifest } from './read-snapshot.ts';
import type { RunRecord } from './run-record.ts';
import { readRun } from './runs.ts';

/** Everything that one backup folder name holds, whoever it belongs to. */
export interface BackupContent {
  readonly backup: string;
  /** Sorted by id. */
  readonly snapshots: readonly SnapshotRecord[];
  readonly unreadable: readonly UnreadableManifest[];
  readonly gone: readonly GoneSnapshot[];
  /** Ids with a folder of artifacts and no manifest. */
  readonly uncommitted: readonly string[];
  /** By id, sorted by time. */
  readonly marks: ReadonlyMap<string, readonly MarkRecord[]>;
  /** Sorted by id. */
  readonly runs: readonly RunRecord[];
}

export interface ReadBackup {
  readonly content: BackupContent;
  /** What the catalog should know from now on; undefined when it knows it all. */
  readonly learned: CatalogPart | undefined;
}

/** Reads what the listings show and the catalog does not know. */
export async function readBackup(
  repository: Repository,
  listing: BackupListing,
  known: CatalogPart,
): Promise<ReadBackup> {
  const { backup } = listing;
  const manifests = await readManifests(repository, listing, known);
  const marks = await readAllMarks(repository, listing, known);
  const runs = await readRuns(repository, listing, known);
  const snapshots: SnapshotRecord[] = [];
  for (const [id, { record }] of manifests.cached) {
    if (manifests.unusable.has(id)) continue;
    const folderPresent = listing.folders.has(id) || (await hasFolder(repository, backup, id));
    const own = await ownMarks(repository, { backup, id }, marks.byId.get(id) ?? []);
    snapshots.push({ ...record, marks: own, folderPresent });
  }
  const present = new Set(listing.manifests);
  const isNews = manifests.isNews || marks.isNews || runs.isNews;
  return {
    content: {
      backup,
      snapshots,
      unreadable: [...manifests.unusable.values()],
      gone: Array.from(marks.byId, ([id, all]) => ({ backup, id, marks: all })).filter(({ id }) => !present.has(id)),
      uncommitted: [...listing.folders].filter((id) => !present.has(id)).toSorted(),
      marks: marks.byId,
      runs: Array.from(runs.cached.values(), ({ record }) => record),
    },
    learned: isNews ? { manifests: manifests.cached, marks: marks.cached, runs: runs.cached } : undefined,
  };
}

/** Marks without those of an earlier try to store the same snapshot; it is rare, so the manifest is read for it. */
async function ownMarks(
  repository: Repository,
  name: SnapshotName,
  marks: readonly MarkRecord[],
): Promise<readonly MarkRecord[]> {
  if (!marks.some(isCleaned)) return marks;
  const manifest = await readManifest(repository, name);
  return manifest?.ok === true ? marksAbout(marks, artifactKeys(manifest.value)) : marks;
}

/** A snapshot stored after the folders were listed has one. */
const hasFolder = async (repository: Repository, backup: string, id: string): Promise<boolean> =>
  (await repository.list(snapshotFolder(backup, id), 'shallow')).length > 0;

/**
 * A manifest never changes, so the catalog is believed; that somebody changed one nevertheless is looked for in the
 * newest of each backup, which plans rest on. Verifying, restoring and removing read the manifest itself.
 */
const NEWEST_CHECKED = 64;
/** Stands for the version of a manifest that was read without asking for it; it is read again once it is to be checked. */
const UNASKED = '-';
/** Stands for the version of a manifest that did change. */
const CHANGED = '';

interface Manifests {
  readonly cached: Map<string, CachedManifest>;
  readonly unusable: Map<string, UnreadableManifest>;
  readonly isNews: boolean;
}

async function readManifests(
  repository: Repository,
  { backup, manifests }: BackupListing,
  known: CatalogPart,
): Promise<Manifests> {
  const cached = new Map<string, CachedManifest>();
  const unusable = new Map<string, UnreadableManifest>();
  let isNews = known.manifests.size > manifests.length;
  const oldestChecked = repository.capabilities.cheapStat ? manifests.length - NEWEST_CHECKED : Infinity;
  for (const [index, id] of manifests.entries()) {
    const before = known.manifests.get(id);
    const key = manifestKey(backup, id);
    const isTrusted = before !== undefined && before.version !== CHANGED && index < oldestChecked;
    if (isTrusted) {
      cached.set(id, before);
      continue;
    }
    const version = index < oldestChecked ? UNASKED : await versionOf(repository, key);
    if (before !== undefined && before.version === version) {
      cached.set(id, before);
      continue;
    }
    const bytes = version === undefined ? undefined : await readIfPresent(repository, key);
    if (bytes === undefined || version === undefined) continue;
    const digest = hash('sha256', bytes, 'hex').slice(0, 16);
    const parsed = parseManifest(bytes, { backup, id });
    if (before !== undefined && before.digest !== digest) {
      // Remembered as it was, so that the change is seen again next time.
      cached.set(id, { ...before, version: CHANGED });
      isNews ||= before.version !== CHANGED;
      unusable.set(id, { backup, id, reason: 'changed', message: 'it is not what it was when it was first read' });
    } else if (parsed.ok) {
      isNews = true;
      cached.set(id, { version, digest, record: slimManifest(parsed.value) });
    } else {
      unusable.set(id, { backup, id, reason: parsed.reason, message: parsed.message });
    }
  }
  return { cached, unusable, isNews };
}

const versionOf = async (repository: Repository, key: string): Promise<string | undefined> =>
  (await repository.stat(key))?.version;

interface Marks {
  readonly cached: Map<string, MarkRecord>;
  readonly byId: Map<string, MarkRecord[]>;
  readonly isNews: boolean;
}

async function readAllMarks(repository: Repository, { marks }: BackupListing, known: CatalogPart): Promise<Marks> {
  const cached = new Map<string, MarkRecord>();
  const byId = new Map<string, MarkRecord[]>();
  let isNews = known.marks.size > marks.length;
  for (const key of marks) {
    const name = parseMarkKey(key);
    const before = known.marks.get(key);
    const mark = before ?? (await readMark(repository, key));
    if (name === undefined || mark === undefined) continue;
    const record: MarkRecord = before ?? { kind: mark.kind, at: mark.at, data: mark.data };
    isNews ||= before === undefined;
    cached.set(key, record);
    const others = byId.get(name.id);
    if (others === undefined) byId.set(name.id, [record]);
    else others.push(record);
  }
  return { cached, byId, isNews };
}

interface Runs {
  readonly cached: Map<string, { readonly version: string; readonly record: RunRecord }>;
  readonly isNews: boolean;
}

async function readRuns(repository: Repository, { backup, runs }: BackupListing, known: CatalogPart): Promise<Runs> {
  const cached: Runs['cached'] = new Map();
  let isNews = known.runs.size > runs.length;
  for (const id of runs) {
    const key = runKey(backup, id);
    const before = known.runs.get(id);
    const version = await versionOf(repository, key);
    if (before !== undefined && before.version === version) {
      cached.set(id, before);
      continue;
    }
    const record = version === undefined ? undefined : await readRun(repository, key);
    if (record === undefined || version === undefined) continue;
    isNews = true;
    cached.set(id, { version, record });
  }
  return { cached, isNews };
}
