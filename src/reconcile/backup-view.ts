import type { ResolvedBackup, ResolvedPolicy } from '../policy/resolved-policy.ts';
import type {
  GoneSnapshot,
  Remains,
  RepositoryInventory,
  SnapshotRecord,
  TamperedManifest,
} from '../snapshots/inventory.ts';
import type { RunRecord } from '../snapshots/run-record.ts';
import { CLEANED } from '../snapshots/manifest.ts';
import { isBeingRemoved, isGood } from '../snapshots/standing.ts';
import type { Observation, ObservedRepository } from './observation.ts';

/** Everything known of one backup in all its repositories, with renames already followed. */
export interface BackupView {
  readonly backup: ResolvedBackup;
  /** The backup's repositories in policy order. */
  readonly repositories: readonly BackupRepository[];
  /** Good snapshots over all readable repositories, oldest first. */
  readonly good: readonly GoodSnapshot[];
  readonly runs: readonly RunRecord[];
}

export interface BackupRepository {
  readonly name: string;
  readonly state: 'ready' | 'unidentified' | 'unavailable';
  /** By id: own snapshots of this backup that count, whatever their state. */
  readonly snapshots: ReadonlyMap<string, SnapshotRecord>;
  /** By id: those that lack the signature that the policy asks for. A plan does nothing with them and by them. */
  readonly unsigned: ReadonlyMap<string, SnapshotRecord>;
  readonly remains: readonly Remains[];
  /** Ids that were released and must not come back. */
  readonly released: ReadonlySet<string>;
  /**
   * Ids with a manifest that cannot be used, does not count, or was removed while a version of it is left: their place is
   * taken.
   */
  readonly unreadable: ReadonlySet<string>;
  /** Policies other than this one that use the backup's folder. */
  readonly foreignPolicies: readonly string[];
}

export interface GoodSnapshot {
  readonly record: SnapshotRecord;
  /** Repositories where it is good, in policy order. */
  readonly holders: readonly string[];
}

/** Repository contents sorted by backup folder, so that each backup finds its own at once. */
export interface FolderIndex {
  readonly state: BackupRepository['state'];
  readonly snapshots: ReadonlyMap<string, readonly SnapshotRecord[]>;
  readonly inventory: RepositoryInventory | null;
}

/** Indexes every repository of an observation by name. With `init`, one that is yet to be made counts as empty. */
export function indexFolders(observation: Observation, init = false): ReadonlyMap<string, FolderIndex> {
  return new Map(
    observation.repositories.map((repository) => {
      const inventory = repository.state === 'ready' ? repository.inventory : null;
      return [
        repository.name,
        {
          state: willBeMade(repository, init) ? 'ready' : repository.state,
          snapshots: byFolder(inventory?.snapshots ?? []),
          inventory,
        },
      ];
    }),
  );
}

const willBeMade = (repository: ObservedRepository, init: boolean): boolean =>
  init && repository.state === 'unidentified' && repository.canBeMade;

function byFolder(snapshots: readonly SnapshotRecord[]): ReadonlyMap<string, readonly SnapshotRecord[]> {
  const folders = new Map<string, SnapshotRecord[]>();
  for (const snapshot of snapshots) {
    const folder = folders.get(snapshot.backup);
    if (folder === undefined) folders.set(snapshot.backup, [snapshot]);
    else folder.push(snapshot);
  }
  return folders;
}

/** Sets a value for every name once; names the policy had before count as its own. */
export const ownNames = (named: { readonly name: string; readonly formerly: readonly string[] }): readonly string[] => [
  named.name,
  ...named.formerly,
];

/** The view of one backup. */
export function viewBackup(
  policy: ResolvedPolicy,
  backup: ResolvedBackup,
  folders: ReadonlyMap<string, FolderIndex>,
): BackupView {
  const policyNames = new Set(ownNames(policy));
  const backupNames = ownNames(backup);
  const repositories = backup.repositories.map((name): BackupRepository => {
    const index = folders.get(name);
    const inventory = index?.inventory ?? null;
    const belongs = (thing: { readonly backup: string }): boolean => backupNames.includes(thing.backup);
    const own = backupNames
      .flatMap((folder) => index?.snapshots.get(folder) ?? [])
      .filter((snapshot) => policyNames.has(snapshot.policy));
    const unsigned = own.filter((snapshot) => snapshot.unsigned !== undefined);
    const snapshots = unsigned.length === 0 ? own : own.filter((snapshot) => snapshot.unsigned === undefined);
    const leaving = snapshots.filter(isBeingRemoved).map(({ id }) => id);
    return {
      name,
      state: index?.state ?? 'unavailable',
      snapshots: new Map(snapshots.map((snapshot) => [snapshot.id, snapshot])),
      unsigned: new Map(unsigned.map((snapshot) => [snapshot.id, snapshot])),
      remains: (inventory?.remains ?? []).filter(belongs),
      released: new Set([...releasedIds((inventory?.gone ?? []).filter(belongs)), ...leaving]),
      unreadable: new Set(
        [...[...(inventory?.unreadable ?? []), ...removedOnes(inventory)].filter(belongs), ...unsigned].map(
          ({ id }) => id,
        ),
      ),
      foreignPolicies: (inventory?.foreign ?? [])
        .filter((other) => other.backup === backup.name)
        .map((other) => other.policy),
    };
  });
  return { backup, repositories, good: unionOfGood(repositories), runs: runsOf(backup, folders) };
}

const removedOnes = (inventory: RepositoryInventory | null): readonly TamperedManifest[] =>
  (inventory?.tampered ?? []).filter(({ how }) => how === 'removed');

function releasedIds(gone: readonly GoneSnapshot[]): readonly string[] {
  const isReleased = ({ marks }: GoneSnapshot): boolean =>
    marks.some((mark) => mark.kind === 'released' && mark.data['reason'] !== CLEANED);
  return gone.filter(isReleased).map(({ id }) => id);
}

function unionOfGood(repositories: readonly BackupRepository[]): readonly GoodSnapshot[] {
  const union = new Map<string, { record: SnapshotRecord; holders: string[] }>();
  for (const repository of repositories) {
    for (const record of repository.snapshots.values()) {
      if (!isGood(record)) continue;
      const known = union.get(record.id);
      if (known === undefined) union.set(record.id, { record, holders: [repository.name] });
      else known.holders.push(repository.name);
    }
  }
  return [...union.values()].toSorted((a, b) => byStart(a.record, b.record));
}

/** Oldest first by start of capture, then by id. */
export function byStart(a: SnapshotRecord, b: SnapshotRecord): number {
  if (a.startedAt !== b.startedAt) return a.startedAt < b.startedAt ? -1 : 1;
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

function runsOf(backup: ResolvedBackup, folders: ReadonlyMap<string, FolderIndex>): readonly RunRecord[] {
  const names = ownNames(backup);
  const runs = new Map<string, RunRecord>();
  for (const repository of backup.repositories) {
    for (const run of folders.get(repository)?.inventory?.runs ?? []) {
      if (names.includes(run.backup)) runs.set(run.id, run);
    }
  }
  return [...runs.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
}
