import type { BkpError } from '../errors.ts';
import type { ResolvedBackup } from '../policy/resolved-policy.ts';
import type { Repository } from '../repositories/repository.ts';
import type { Lease } from '../snapshots/held-lease.ts';
import type { SnapshotName } from '../snapshots/keys.ts';
import type { Manifest } from '../snapshots/manifest.ts';
import type { SetAsideRecord } from '../snapshots/run-record.ts';
import type { Beside } from './besides.ts';
import { addressOf } from './draft.ts';
import type { Observation, PlanOptions } from './observation.ts';
import type { OpenRun } from './run-record-writer.ts';
import type { Session } from './session.ts';
import type { Step } from './step.ts';
import type { StepResult } from './step-result.ts';

export interface ApplyOptions {
  /** What planned the steps, so that they can be looked at again under the lease. */
  readonly planning: PlanOptions;
  readonly failFast: boolean;
  readonly lockTimeoutMs: number;
  /** Stands in run records: `apply`, `backup`. */
  readonly command: string;
}

/** What the steps of one backup share while they are carried out. */
export interface BackupExecution {
  readonly session: Session;
  /** Name of the backup. */
  readonly name: string;
  /** All that are carried out, in their order. */
  readonly steps: readonly Step[];
  /** Undefined for a backup that left the policy. */
  readonly backup: ResolvedBackup | undefined;
  readonly observation: Observation;
  /** By repository name. */
  readonly repositories: ReadonlyMap<string, { readonly repository: Repository; readonly lease: Lease }>;
  /** By repository name: why no lease could be had there, so that its steps fail and the others go on. */
  readonly unwritable: ReadonlyMap<string, BkpError>;
  readonly run: OpenRun;
  readonly startedAt: Date;
  readonly tick: Date | null;
  /** Snapshots that steps of this run made, by step id. */
  readonly made: Map<string, string>;
  /** Snapshots that were stored while they were captured into another repository, by the id of their copy's step. */
  readonly besides: Map<string, { readonly beside: Beside; readonly captured: Manifest }>;
  /** What steps of this run stored, by repository. */
  readonly stored: (SnapshotName & { readonly repository: string })[];
  readonly setAside: SetAsideRecord[];
}

/** Reports what became of a step. */
export function emitFinished(session: Session, result: StepResult): void {
  const { step, outcome, snapshot, message, hint, durationMs } = result;
  session.context.emit({
    type: 'step-finished',
    stepId: step.id,
    action: step.action,
    address: addressOf(step.backup, step.repository),
    outcome,
    snapshot,
    message,
    hint,
    durationMs,
  });
}
