import { BkpError } from '../errors.ts';
import type { Repository } from '../repositories/repository.ts';
import { dueTick } from '../schedule/ticks.ts';
import type { Lease } from '../snapshots/held-lease.ts';
import { acquireLease } from '../snapshots/leases.ts';
import { forgetOldRuns } from '../snapshots/runs.ts';
import { stepKey } from './draft.ts';
import { executeStep } from './execute-step.ts';
import { emitFinished, type ApplyOptions, type BackupExecution } from './execution.ts';
import { observe } from './observe.ts';
import { plan } from './plan.ts';
import { openRun } from './run-record-writer.ts';
import { stoppable, type Session } from './session.ts';
import type { Observation } from './observation.ts';
import type { Step } from './step.ts';
import { ended, failedStep, type StepResult } from './step-result.ts';

/** Carries out the steps of one backup under its lease in every repository they write to. */
export async function executeBackup(
  session: Session,
  backup: string,
  steps: readonly Step[],
  options: ApplyOptions,
): Promise<readonly StepResult[]> {
  const runId = session.newId(session.context.clock.now());
  const repositories = await acquireLeases(session, backup, steps, runId, options);
  try {
    const observation = await observe(session);
    const wanted = stillWanted(session, observation, backup, steps, options);
    const fresh = steps.filter((step) => !wanted.includes(step)).map((step) => skipped(session, step));
    if (wanted.length === 0) return fresh;
    return [...fresh, ...(await executeWanted(session, backup, wanted, observation, repositories, runId, options))];
  } finally {
    for (const { lease } of repositories.values()) await lease.release().catch(() => undefined);
  }
}

async function acquireLeases(
  session: Session,
  backup: string,
  steps: readonly Step[],
  run: string,
  options: ApplyOptions,
): Promise<BackupExecution['repositories']> {
  const everywhere = steps.some((step) => step.action === 'restore')
    ? (session.policy.backups.find((one) => one.name === backup)?.repositories ?? [])
    : [];
  const names = new Set([...steps.map((step) => step.repository), ...everywhere]);
  const held = new Map<string, { repository: Repository; lease: Lease }>();
  try {
    for (const { name, repository } of session.repositories) {
      if (!names.has(name) || repository === null) continue;
      await repository.sweep();
      const lease = await acquireLease(
        repository,
        { backup, policy: session.policy.name, purpose: options.command, run, waitMs: options.lockTimeoutMs },
        stoppable(session),
      );
      held.set(name, { repository, lease });
    }
  } catch (error) {
    for (const { lease } of held.values()) await lease.release().catch(() => undefined);
    throw error;
  }
  return held;
}

/** Steps that a plan made now, under the lease, holds too: another run may have done the others meanwhile. */
function stillWanted(
  session: Session,
  observation: Observation,
  backup: string,
  steps: readonly Step[],
  { planning }: ApplyOptions,
): readonly Step[] {
  const { policy, bkpVersion, context } = session;
  const again = plan({
    policy,
    observation,
    now: context.clock.now(),
    options: { ...planning, backups: [backup] },
    bkpVersion,
  });
  const keys = new Set(again.steps.map(stepKey));
  return steps.filter((step) => keys.has(stepKey(step)));
}

function skipped(session: Session, step: Step): StepResult {
  const result = ended(step, 'skipped', { message: 'nothing is due any more' });
  emitFinished(session, result);
  return result;
}

async function executeWanted(
  session: Session,
  name: string,
  steps: readonly Step[],
  observation: Observation,
  repositories: BackupExecution['repositories'],
  runId: string,
  options: ApplyOptions,
): Promise<readonly StepResult[]> {
  const backup = session.policy.backups.find((one) => one.name === name);
  const creates = steps.find((step) => step.action === 'create');
  const home = repositories.get(creates?.repository ?? steps[0]?.repository ?? '');
  if (home === undefined) throw new Error(`no lease for ${name}`);
  const startedAt = session.context.clock.now();
  const tick =
    backup === undefined || backup.schedule === null ? null : dueTick(backup.schedule, backup.timezone, startedAt);
  const run = await openRun(session, home.repository, {
    id: runId,
    backup: name,
    command: options.command,
    startedAt,
    tick: creates === undefined ? null : tick,
    captures: creates === undefined ? null : (backup ?? null),
    owedHooks:
      creates === undefined ? [] : (backup?.hooks.after ?? []).filter((hook) => hook.always).map((hook) => hook.argv),
  });
  const execution: BackupExecution = {
    session,
    name,
    backup,
    observation,
    repositories,
    run,
    startedAt,
    tick,
    made: new Map(),
    setAside: [],
  };
  const results: StepResult[] = [];
  for (const step of steps) results.push(await runStep(execution, step, results, options));
  await run.finish(outcomeOf(session, results), results, execution.setAside);
  await forgetOldRuns(home.repository, name, session.context);
  return results;
}

async function runStep(
  execution: BackupExecution,
  step: Step,
  before: readonly StepResult[],
  options: ApplyOptions,
): Promise<StepResult> {
  const { session } = execution;
  const obstacle = obstacleOf(session, step, before, options);
  const result = obstacle === null ? await attempt(execution, step) : ended(step, 'not-started', { message: obstacle });
  emitFinished(session, result);
  return result;
}

function obstacleOf(
  session: Session,
  step: Step,
  before: readonly StepResult[],
  { failFast }: ApplyOptions,
): string | null {
  if (session.signal.aborted) return 'interrupted before it began';
  const failed = before.find(
    (result) => step.dependsOn.includes(result.step.id) && result.outcome !== 'done' && result.outcome !== 'skipped',
  );
  if (failed !== undefined) return `dependency-failed: ${failed.step.action} ${failed.step.address} is not done`;
  return failFast && before.some((result) => result.outcome === 'failed') ? 'an earlier step failed' : null;
}

async function attempt(execution: BackupExecution, step: Step): Promise<StepResult> {
  const { context, signal } = execution.session;
  const started = context.clock.monotonicMs();
  context.emit({ type: 'step-started', stepId: step.id, action: step.action, address: step.address });
  try {
    const done = await executeStep(execution, step);
    return ended(step, done.partial === undefined ? 'done' : 'partial', {
      snapshot: done.snapshot,
      message: done.partial ?? null,
      flaws: done.flaws,
      durationMs: context.clock.monotonicMs() - started,
    });
  } catch (error) {
    const reason: unknown = signal.aborted && !(error instanceof BkpError) ? signal.reason : error;
    return failedStep(step, reason, context.clock.monotonicMs() - started);
  }
}

function outcomeOf(session: Session, results: readonly StepResult[]): 'done' | 'partly' | 'failed' | 'interrupted' {
  if (session.signal.aborted) return 'interrupted';
  const bad = results.filter(
    (result) => result.outcome === 'failed' || result.outcome === 'partial' || result.outcome === 'not-started',
  );
  if (bad.length === 0) return 'done';
  return results.some((result) => result.outcome === 'done' || result.outcome === 'partial') ? 'partly' : 'failed';
}
