import type { RestoreMode } from '../engines/engine.ts';
import type { SourcePosition } from '../policy/resolved-policy.ts';
import type { SnapshotKind } from '../snapshots/manifest.ts';
import type { Reason } from './reasons.ts';

export const ACTIONS = ['create', 'copy', 'replace', 'verify', 'restore', 'prune', 'clean'] as const;
export type Action = (typeof ACTIONS)[number];

/** One difference between the policy and what exists. Frozen plain data; its JSON form is fixed (design section 4). */
export interface Step {
  readonly id: string;
  readonly action: Action;
  /** `backup@repository`. */
  readonly address: string;
  readonly backup: string;
  readonly kind: SnapshotKind;
  readonly targets: readonly string[];
  readonly repository: string;
  /** Repository that a copy or replace reads from. */
  readonly from: string | null;
  /** Null while the snapshot is yet to be made by step `snapshotFrom`. */
  readonly snapshot: string | null;
  readonly snapshotFrom: string | null;
  /** Keys a replace brings back; empty means all. */
  readonly artifacts: readonly string[];
  readonly destination: Destination | null;
  readonly mode: RestoreMode | null;
  readonly hooks: readonly (readonly string[])[];
  readonly estimate: Estimate;
  readonly reason: Reason;
  readonly source: SourcePosition | null;
  readonly destructive: boolean;
  readonly dependsOn: readonly string[];
}

export interface Estimate {
  readonly readBytes: number;
  readonly writeBytes: number;
}

/** Where a restore writes: by target, the keys laid over its definition and what is there now. */
export interface Destination {
  /** Name under `restores`, or null for the command line. */
  readonly restore: string | null;
  readonly targets: Readonly<Record<string, DestinationTarget>>;
}

export interface DestinationTarget {
  /** Where that is, for people. */
  readonly place: string;
  readonly into: Readonly<Record<string, unknown>>;
  readonly mode: RestoreMode;
  /** What stands there now, for people. */
  readonly found: string;
  readonly occupied: boolean;
  /** Chosen paths inside the artifact; absent where everything comes back. */
  readonly paths?: readonly string[];
  /** `replace` changes what stands there instead of setting it aside. */
  readonly changedInPlace?: true;
}

export interface KeptSnapshot {
  readonly address: string;
  readonly snapshot: string | null;
  readonly reason: Reason;
}

export interface WithheldStep {
  readonly action: Action;
  readonly address: string;
  readonly snapshot: string | null;
  readonly reason: Reason;
  readonly source: SourcePosition | null;
}

export interface PlanNotice {
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
  /** `backup@repository`, a repository or a backup; null for the whole policy. */
  readonly address: string | null;
}

export interface PlannedRepository {
  readonly name: string;
  readonly id: string | null;
  readonly readable: boolean;
  readonly inventorySha256: string | null;
}

export interface PlanFilters {
  readonly backups?: readonly string[];
  readonly only?: readonly Action[];
  readonly prune?: false;
  readonly pruneRemoved?: true;
  readonly maxPrune?: number;
  readonly initRepositories?: true;
}

export type PlanSummary = Readonly<Record<Action | 'drill' | 'keep' | 'withheld' | 'destructive', number>>;

/** The differences between a policy and its repositories at one moment. JSON round-trips. */
export interface Plan {
  readonly formatVersion: 1;
  readonly bkpVersion: string;
  readonly generatedAt: string;
  /** Set when planned for another moment than now; such a plan cannot be applied. */
  readonly at: string | null;
  readonly filters: PlanFilters;
  readonly policy: { readonly name: string; readonly path: string; readonly sha256: string };
  readonly repositories: readonly PlannedRepository[];
  readonly steps: readonly Step[];
  readonly keep: readonly KeptSnapshot[];
  readonly withheld: readonly WithheldStep[];
  readonly summary: PlanSummary;
  readonly warnings: readonly PlanNotice[];
  readonly errors: readonly PlanNotice[];
}
