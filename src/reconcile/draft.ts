import type { RestoreMode } from '../engines/engine.ts';
import type { ResolvedBackup, SourcePosition } from '../policy/resolved-policy.ts';
import type { Reason } from './reasons.ts';
import type { Action, Destination, Estimate, KeptSnapshot, PlanNotice, Step, WithheldStep } from './step.ts';

/** A step before it has a number: it names the steps it depends on by their keys. */
export interface Draft {
  readonly action: Action;
  readonly backup: string;
  readonly kind: Step['kind'];
  readonly targets: readonly string[];
  readonly repository: string;
  readonly from: string | null;
  readonly snapshot: string | null;
  /** Key of the step that makes the snapshot. */
  readonly snapshotFrom: string | null;
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

/** What planning one backup, restore or leftover gives. */
export interface Drafts {
  readonly steps: readonly Draft[];
  readonly keep: readonly KeptSnapshot[];
  readonly withheld: readonly WithheldStep[];
  readonly warnings: readonly PlanNotice[];
  readonly errors: readonly PlanNotice[];
}

export const NO_DRAFTS: Drafts = { steps: [], keep: [], withheld: [], warnings: [], errors: [] };

/** Puts results one behind the other. */
export function joinDrafts(parts: readonly Partial<Drafts>[]): Drafts {
  return {
    steps: parts.flatMap((part) => part.steps ?? []),
    keep: parts.flatMap((part) => part.keep ?? []),
    withheld: parts.flatMap((part) => part.withheld ?? []),
    warnings: parts.flatMap((part) => part.warnings ?? []),
    errors: parts.flatMap((part) => part.errors ?? []),
  };
}

export const addressOf = (backup: string, repository: string): string => `${backup}@${repository}`;

/**
 * What makes a step the same step in another plan: used to name dependencies and to see, under the lease, whether a
 * step is still wanted.
 */
export function stepKey(
  step: Pick<Step, 'action' | 'backup' | 'repository' | 'kind' | 'snapshot' | 'artifacts' | 'destination'>,
): string {
  const restore = step.destination === null ? [] : [step.destination.restore ?? 'command line'];
  return [
    step.action,
    addressOf(step.backup, step.repository),
    step.snapshot ?? (step.kind === 'safety' ? 'safety' : 'next'),
    ...restore,
    ...step.artifacts,
  ].join(' ');
}

/** A draft of something that no line of the policy asks for: the given parts laid over what most steps have. */
export const unaskedDraft = (
  parts: Pick<Draft, 'action' | 'backup' | 'repository' | 'reason'> & Partial<Draft>,
): Draft => ({
  kind: 'backup',
  targets: [],
  from: null,
  snapshot: null,
  snapshotFrom: null,
  artifacts: [],
  destination: null,
  mode: null,
  hooks: [],
  estimate: { readBytes: 0, writeBytes: 0 },
  source: null,
  destructive: false,
  dependsOn: [],
  ...parts,
});

/** The same for a backup of the policy. */
export const draft = (
  { name, targets, source }: ResolvedBackup,
  parts: Pick<Draft, 'action' | 'repository' | 'reason'> & Partial<Draft>,
): Draft => unaskedDraft({ backup: name, targets: targets.map((target) => target.name), source, ...parts });
