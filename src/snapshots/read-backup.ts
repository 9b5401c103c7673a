import type { Repository } from '../repositories/repository.ts';
import type { CatalogPart } from './catalog-part.ts';
import type { GoneSnapshot, MarkRecord, RepositoryInventory, SnapshotRecord, UnreadableManifest } from './inventory.ts';
import { parseMarkKey, runKey, snapshotFolder, type SnapshotName } from './keys.ts';
import type { BackupListing } from './list-backups.ts';
import { isCleaned, marksAbout, readMark } from './marks.ts';
import { readManifests } from './read-manifests.ts';
import { readRecords, type ReadRecords } from './read-records.ts';
import { artifactKeys } from './manifest-codec.ts';
import { readManifest } from './read-snapshot.ts';
import type { RunRecord } from './run-record.ts';
import { readRun } from './runs.ts';
import { newestMark } from './standing.ts';
import { isTrustedMark, unsignedReason, type TrustedKeys } from './trust.ts';

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
  readonly ignoredMarks: NonNullable<RepositoryInventory['ignoredMarks']>;
  /** Sorted by id. */
  readonly runs: readonly RunRecord[];
}

export interface BackupReading {
  /** Id of the repository: what is signed counts in its own one only. */
  readonly repositoryId: string;
  readonly trusted: TrustedKeys;
  readonly known: CatalogPart;
}

export interface ReadBackup {
  readonly content: BackupContent;
  /** What the catalog should know from now on. */
  readonly part: CatalogPart;
  /** That is not what it knows. */
  readonly isNews: boolean;
}

/** Reads what the listings show and the catalog does not know. */
export async function readBackup(
  repository: Repository,
  listing: BackupListing,
  { repositoryId, trusted, known }: BackupReading,
  signal: AbortSignal,
): Promise<ReadBackup> {
  const { backup } = listing;
  const manifests = await readManifests(repository, listing, known, signal);
  const marks = await readAllMarks(repository, listing, { repositoryId, known }, signal);
  const runs = await readRuns(repository, listing, { repositoryId, known }, signal);
  const marksById = byId(marks.cached);
  const counted = countedMarks(marksById, trusted);
  const snapshots: SnapshotRecord[] = [];
  for (const [id, { record, digest }] of manifests.cached) {
    if (manifests.unusable.has(id)) continue;
    const folderPresent = listing.folders.has(id) || (await hasFolder(repository, backup, id));
    const own = await ownMarks(repository, { backup, id }, counted.get(id) ?? []);
    const unsigned =
      trusted === null ? undefined : unsignedReason({ signedBy: record.signedBy, digest, marks: own }, trusted);
    snapshots.push({ ...record, marks: own, folderPresent, ...(unsigned === undefined ? {} : { unsigned }) });
  }
  const present = listing.manifests;
  const isAsKnown = (name: string): boolean =>
    isSame(known.manifests, manifests.cached, name) ||
    isSame(known.marks, marks.cached, name) ||
    isSame(known.runs, runs.cached, name);
  const unread = new Set([...known.unread].filter(isAsKnown));
  return {
    content: {
      backup,
      snapshots,
      unreadable: [...manifests.unusable.values()],
      gone: Array.from(counted, ([id, all]) => ({ backup, id, marks: all })).filter(({ id }) => !present.has(id)),
      uncommitted: [...listing.folders].filter((id) => !present.has(id)).toSorted(),
      marks: counted,
      ignoredMarks: trusted === null ? [] : ignoredIn(backup, marksById, trusted),
      runs: Array.from(runs.cached.values(), ({ record }) => record),
    },
    part: { manifests: manifests.cached, marks: marks.cached, runs: runs.cached, released: known.released, unread },
    isNews: manifests.isNews || marks.isNews || runs.isNews,
  };
}

const isSame = (before: ReadonlyMap<string, unknown>, now: ReadonlyMap<string, unknown>, name: string): boolean =>
  before.has(name) && before.get(name) === now.get(name);

/** Marks without those that do not count; a snapshot that has no other is left out. */
function countedMarks(
  all: ReadonlyMap<string, readonly MarkRecord[]>,
  trusted: TrustedKeys,
): ReadonlyMap<string, readonly MarkRecord[]> {
  if (trusted === null) return all;
  const counted = Array.from(all, ([id, marks]) => [id, marks.filter((mark) => isTrustedMark(mark, trusted))] as const);
  return new Map(counted.filter(([, marks]) => marks.length > 0));
}

/** Marks that do not count and are news: who adopted the snapshot later saw those before. */
const ignoredIn = (
  backup: string,
  byId: ReadonlyMap<string, readonly MarkRecord[]>,
  trusted: TrustedKeys,
): BackupContent['ignoredMarks'] =>
  Array.from(byId, ([id, marks]) => {
    const counted = marks.filter((mark) => isTrustedMark(mark, trusted));
    const adoptedAt = newestMark(counted, 'signed')?.at ?? '';
    return marks
      .filter((mark) => !isTrustedMark(mark, trusted) && mark.at > adoptedAt)
      .map(({ kind }) => ({ backup, id, kind }));
  }).flat();

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

/** Stands for the version of a mark where listings tell none: marks are written once. */
const WRITTEN_ONCE = '-';

const readAllMarks = (
  repository: Repository,
  { marks }: BackupListing,
  { repositoryId, known }: Pick<BackupReading, 'repositoryId' | 'known'>,
  signal: AbortSignal,
): Promise<ReadRecords<MarkRecord>> =>
  readRecords(
    marks,
    known.marks,
    async (key, version = WRITTEN_ONCE, before) => {
      if (before?.version === version) return before;
      const mark = await readMark(repository, key, repositoryId);
      return mark && { version, record: recordOf(mark) };
    },
    signal,
  );

const recordOf = ({ kind, at, data, signedBy }: MarkRecord): MarkRecord => ({
  kind,
  at,
  data,
  ...(signedBy === undefined ? {} : { signedBy }),
});

/** Marks by snapshot; their keys are sorted by time. */
function byId(marks: ReadRecords<MarkRecord>['cached']): ReadonlyMap<string, readonly MarkRecord[]> {
  const found = new Map<string, MarkRecord[]>();
  for (const [key, { record }] of marks) {
    const id = parseMarkKey(key)?.id ?? '';
    const others = found.get(id);
    if (others === undefined) found.set(id, [record]);
    else others.push(record);
  }
  return found;
}

const readRuns = (
  repository: Repository,
  { backup, runs }: BackupListing,
  { repositoryId, known }: Pick<BackupReading, 'repositoryId' | 'known'>,
  signal: AbortSignal,
): Promise<ReadRecords<RunRecord>> =>
  readRecords(
    runs,
    known.runs,
    async (id, listed, before) => {
      const key = runKey(backup, id);
      const version = listed ?? (await repository.stat(key))?.version;
      if (before !== undefined && before.version === version) return before;
      const record = version === undefined ? undefined : await readRun(repository, key, repositoryId);
      return record === undefined || version === undefined ? undefined : { version, record };
    },
    signal,
  );
