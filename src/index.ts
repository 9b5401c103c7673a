import { loadPolicy as loadPolicyFrom, type LoadedPolicy } from './policy/load.ts';
import type { RunEvent } from './event.ts';
import type { ResolvedPolicy } from './policy/resolved-policy.ts';
import { applyPlan } from './reconcile/apply.ts';
import type { PlanOptions } from './reconcile/observation.ts';
import { openSession } from './reconcile/open-session.ts';
import { withStoreTime } from './reconcile/store-time.ts';
import { planPolicy } from './reconcile/plan-policy.ts';
import type { RestoreOrder } from './reconcile/prepare-restore.ts';
import { executeRestore, planRestoreOf, type RestoreOptions } from './reconcile/restore.ts';
import { planningOf } from './reconcile/saved-plan.ts';
import type { Session } from './reconcile/session.ts';
import type { Plan } from './reconcile/step.ts';
import type { ApplyResult } from './reconcile/step-result.ts';
import { openEdge } from './system/edge.ts';
import { systemPolicyFiles } from './system/policy-files.ts';

export { BkpError, EXIT, EXIT_MEANINGS, PolicyError, type ErrorCode, type ExitCode } from './errors.ts';
export { REASONS, type Reason, type ReasonCode } from './reconcile/reasons.ts';
export type { RunEvent, ResolvedPolicy, LoadedPolicy, Plan, PlanOptions, ApplyResult, RestoreOrder, RestoreOptions };
export type { Step, WithheldStep, KeptSnapshot, PlanNotice } from './reconcile/step.ts';
export type { StepResult } from './reconcile/step-result.ts';
export type { Manifest } from './snapshots/manifest.ts';

/** How a call of the library runs. */
export interface RunSettings {
  /** Ends the work: children are stopped, hooks run, leases are released. */
  readonly signal?: AbortSignal;
  /** Told what happens while it happens. */
  readonly onEvent?: (event: RunEvent) => void;
  /** Folder of the rebuildable catalog; default the user's cache folder. */
  readonly cacheDir?: string;
  /** Files with private keys that open encrypted snapshots; default BKP_AGE_IDENTITY_FILE. */
  readonly identityFiles?: readonly string[];
}

export interface ApplySettings extends RunSettings {
  readonly failFast?: boolean;
  /** How long to wait for a lease; default 30 s. */
  readonly lockTimeoutMs?: number;
}

/** Reads and checks a policy file. Throws a `PolicyError` with every problem. Looks up no reference. */
export const loadPolicy = (path: string): Promise<LoadedPolicy> =>
  loadPolicyFrom({ path, files: systemPolicyFiles(async () => '') });

/** The differences between a policy and its repositories, each with its reason. Changes nothing, asks nothing. */
export const plan = (policy: ResolvedPolicy, options: PlanOptions = {}, settings: RunSettings = {}): Promise<Plan> =>
  withSession(policy, settings, (session) => planPolicy(session, options));

/** Carries out a plan as it is; steps whose reason is gone are skipped. Throws a `lock` error when the first lease cannot be had. */
export const apply = (policy: ResolvedPolicy, made: Plan, settings: ApplySettings = {}): Promise<ApplyResult> =>
  withSession(policy, settings, (session) =>
    applyPlan(session, made, {
      planning: planningOf(made),
      failFast: settings.failFast ?? false,
      lockTimeoutMs: settings.lockTimeoutMs ?? 30_000,
      command: 'apply',
    }),
  );

/** Brings data back from a snapshot, `backup@latest` or by id. Throws when nothing was changed. */
export const restore = (
  policy: ResolvedPolicy,
  snapshot: string,
  order: RestoreOrder,
  options: RestoreOptions,
  settings: RunSettings = {},
): Promise<ApplyResult> =>
  withSession(policy, settings, async (session) =>
    executeRestore(session, await planRestoreOf(session, snapshot, order, options.safety), options),
  );

async function withSession<T>(
  policy: ResolvedPolicy,
  settings: RunSettings,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const { edge, dispose } = await openEdge({
    signal: settings.signal ?? new AbortController().signal,
    emit: settings.onEvent ?? (() => undefined),
    ...(settings.identityFiles === undefined ? {} : { identityFiles: settings.identityFiles }),
    ...(settings.cacheDir === undefined ? {} : { cacheDir: settings.cacheDir }),
  });
  try {
    return await work(await withStoreTime(openSession(policy, edge)));
  } finally {
    await dispose();
  }
}
