import type { Reference } from '../engines/references.ts';
import type { SnapshotName } from './keys.ts';
import type { MarkKind, SnapshotKind } from './manifest.ts';
import type { RunRecord } from './run-record.ts';

/** What planning needs to know of a snapshot: the manifest's slim form with its marks. */
export interface SnapshotRecord {
  readonly backup: string;
  readonly id: string;
  readonly policy: string;
  readonly kind: SnapshotKind;
  readonly status: 'created' | 'partial';
  readonly tick: string | null;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly definitionSha256: string;
  /** Target names and how each ended. */
  readonly targets: Readonly<Record<string, 'captured' | 'failed'>>;
  /** The backup had `protect: true` when this was made; survives the backup's removal from the policy. */
  readonly protect: boolean;
  readonly sizeBytes: number;
  readonly storedBytes: number;
  /** The store lets nobody delete it before; absent where it has no object lock. */
  readonly lockedUntil?: string;
  /** Public keys that it is encrypted to; absent where everybody can read it. */
  readonly recipients?: readonly string[];
  /** What it left with servers: its artifacts only tell where. Absent where it has all it needs itself. */
  readonly references?: readonly SnapshotReference[];
  /** It has files that are stored each by itself, as they are: it cannot be encrypted. */
  readonly listsFiles?: true;
  /** The public key whose signature in the manifest was found right, null where it is wrong; absent where there is none. */
  readonly signedBy?: string | null;
  /** Why it does not count where the policy asks for signatures. It is shown, and nothing rests on it. */
  readonly unsigned?: string;
  /** Sorted by time. */
  readonly marks: readonly MarkRecord[];
  /** False when `snapshots/<backup>/<id>/` is gone: every artifact is missing. */
  readonly folderPresent: boolean;
}

/** What a target of a snapshot left with its server. */
export interface SnapshotReference extends Reference {
  readonly target: string;
}

export interface MarkRecord {
  readonly kind: MarkKind;
  readonly at: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** As with a manifest. */
  readonly signedBy?: string | null;
}

/** A folder under `snapshots/` without a manifest. */
export interface Remains {
  readonly backup: string;
  readonly id: string;
  /** `begun` has a readable begin.json, `released` a released mark; `unknown` has neither and is never deleted. */
  readonly kind: 'begun' | 'released' | 'unknown';
  readonly policy: string | null;
  /** Keys that begin.json or the mark list, relative to the repository. */
  readonly keys: readonly string[];
  /** True when the lease named in begin.json is still held: somebody is capturing right now. */
  readonly inProgress: boolean;
  /** A place to upload to by URL: until when it waits to be adopted, ISO. */
  readonly keptUntil?: string;
  /** The store lets nobody remove it before (ISO), or until a hold is lifted (null); absent where it can go. */
  readonly lockedUntil?: string | null;
}

/** A manifest that exists but cannot be used: drift, never deleted. */
export interface UnreadableManifest {
  readonly backup: string;
  readonly id: string;
  readonly reason: 'newer-format' | 'unreadable' | 'changed';
  readonly message: string;
}

/**
 * A snapshot of which only marks are left. `released` ones must not be copied back; `restored` marks keep a restore
 * done although its snapshot is gone.
 */
export interface GoneSnapshot {
  readonly backup: string;
  readonly id: string;
  /** Sorted by time. */
  readonly marks: readonly MarkRecord[];
}

/** A manifest that somebody removed or wrote again while the store keeps its first version: drift, never cleaned. */
export interface TamperedManifest extends SnapshotName {
  readonly how: 'removed' | 'overwritten';
}

/** Everything one reading of a repository found. */
export interface RepositoryInventory {
  readonly repositoryId: string;
  readonly snapshots: readonly SnapshotRecord[];
  readonly remains: readonly Remains[];
  readonly unreadable: readonly UnreadableManifest[];
  /** Absent where the store keeps no versions. Sorted by backup and id. */
  readonly tampered?: readonly TamperedManifest[];
  readonly gone: readonly GoneSnapshot[];
  /** Marks that do not count, because the policy asks for signatures and theirs are missing or not right. */
  readonly ignoredMarks?: readonly { readonly backup: string; readonly id: string; readonly kind: MarkKind }[];
  /** Snapshots of other policies by backup folder: counted, never touched. */
  readonly foreign: readonly { readonly backup: string; readonly policy: string; readonly count: number }[];
  readonly runs: readonly RunRecord[];
  readonly leases: readonly HeldLease[];
}

export interface HeldLease {
  readonly backup: string;
  readonly number: number;
  readonly owner: LeaseOwner;
  readonly acquiredAt: string;
  readonly renewedAt: string;
  readonly purpose: string;
}

export interface LeaseOwner {
  readonly host: string;
  readonly bootId: string;
  readonly pid: number;
  readonly policy: string;
  /** Random per run: tells two runs of one process id apart. */
  readonly run: string;
}
