import { BkpError } from '../errors.ts';
import { dueTick } from '../schedule/ticks.ts';
import { forgetOld } from '../snapshots/forget-old.ts';
import { ownNames } from './backup-view.ts';
import { executeStep } from './execute-step.ts';
import { emitFinished, type ApplyOptions, type BackupExecution } from './execution.ts';
import { acquireLeases, releaseLeases, type AcquiredLeases } from './execution-leases.ts';
import { touchedFolders } from './inventory-digest.ts';
import { observe } from './observe.ts';
import { openRun, recordOrTell, withFlaw } from './run-record-writer.ts';
import { identitiesIn, identitiesOf } from './remembered-identities.ts';
import type { Session } from './session.ts';
import type { Observation } from './observation.ts';
import { rerouteCapture } from './reroute-capture.ts';
import { sortStillWanted } from './still-wanted.ts';
import type { PlannedRepository, Step } from './step.ts';
import { ended, failedStep, type StepResult } from './step-result.ts';

/** Carries out the steps of one backup under its lease in every repository they write to. */
export async function executeBackup(
  session: Session,
  backup: string,
  steps: readonly Step[],
  planned: readonly PlannedRepository[],
  options: ApplyOptions,
): Promise<readonly StepResult[]> {
  const runId = session.newId(session.context.clock.now());
  const leases = await acquireLeases(session, { backup, steps, planned, run: runId }, options);
  try {
    const scoped = scopedTo(session, backup, steps, planned);
    const observation = await observe(
      deletes(steps) ? { ...scoped, unshared: touchedFolders(session.policy, steps) } : scoped,
    );
    const { wanted, others } = sortStillWanted(session, observation, backup, steps, options);
    for (const result of others) emitFinished(session, result);
    if (wanted.length === 0) return others;
    const rerouted = rerouteCapture(wanted, new Set(leases.unwritable.keys()));
    tellRerouted(session, wanted, rerouted);
    return [...others, ...(await executeWanted(session, backup, rerouted, observation, leases, runId, options))];
  } finally {
    await releaseLeases(leases.held);
  }
}

/**
 * A session in which only what the backup rests on is looked at. Who a repository is was told to the plan by the records
 * of all backups; one that was not ready for it gets no steps.
 */
function scopedTo(
  session: Session,
  backup: string,
  steps: readonly Step[],
  planned: readonly PlannedRepository[],
): Session {
  const { policy } = session;
  const own = {
    ...policy,
    backups: policy.backups.filter(({ name }) => name === backup),
    restores: policy.restores.filter((restore) => restore.backup === backup),
  };
  // What is left in a folder with an earlier name may be somebody's work under the name of now.
  const names = policy.backups.filter((one) => ownNames(one).includes(backup)).flatMap(ownNames);
  const folders = new Set([...touchedFolders(policy, steps), ...names]);
  return { ...session, policy: own, scope: { folders, identities: identitiesIn({ repositories: planned }) } };
}

/** No deletion rests on what others wrote into an index: for one, manifests and marks are read. */
const deletes = (steps: readonly Step[]): boolean =>
  steps.some(({ action, snapshot }) => (action === 'prune' || action === 'clean') && snapshot !== null);

async function executeWanted(
  session: Session,
  name: string,
  steps: readonly Step[],
  observation: Observation,
  { held: repositories, unwritable }: AcquiredLeases,
  runId: string,
  options: ApplyOptions,
): Promise<readonly StepResult[]> {
  const backup = session.policy.backups.find((one) => one.name === name);
  const creates = steps.find(isCapture);
  const [anywhere] = repositories.values();
  const home = repositories.get(creates?.repository ?? steps[0]?.repository ?? '') ?? anywhere;
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
    repositories: identitiesOf(observation),
    planned: steps,
  });
  const execution: BackupExecution = {
    session,
    name,
    steps,
    backup,
    observation,
    repositories,
    unwritable,
    run,
    startedAt,
    tick,
    made: new Map(),
    besides: new Map(),
    stored: [],
    setAside: [],
  };
  const results: StepResult[] = [];
  for (const step of steps) results.push(await runStep(execution, step, results, options));
  const problem = await recordOrTell(session, async () => {
    await run.finish(outcomeOf(session, results), results, execution.setAside);
    await forgetOld(home.repository, name, session.context);
  });
  return withFlaw(results, problem);
}

function tellRerouted({ context }: Session, planned: readonly Step[], rerouted: readonly Step[]): void {
  const [before, now] = [planned.find(isCapture), rerouted.find(isCapture)];
  if (before === undefined || now === undefined || before.repository === now.repository) return;
  const message = `${before.repository} cannot be written to: ${before.backup} is captured into ${now.repository}`;
  context.emit({ type: 'warning', message });
}

/** The capture of a backup: not the safety snapshot of a restore. */
const isCapture = (step: Step): boolean => step.action === 'create' && step.kind === 'backup';

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
  const isNeeded = (other: Step): boolean =>
    step.dependsOn.includes(other.id) || (step.action === 'prune' && isCapture(other));
  const failed = before.find(
    (result) => isNeeded(result.step) && result.outcome !== 'done' && result.outcome !== 'skipped',
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
  if (bad.length === 0) return results.some((result) => result.flaws.length > 0) ? 'partly' : 'done';
  return results.some((result) => result.outcome === 'done' || result.outcome === 'partial') ? 'partly' : 'failed';
}
