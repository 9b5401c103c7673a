import { BkpError, EXIT, usageError } from '../errors.ts';
import type { Repository } from '../repositories/repository.ts';
import type { SetAsideRecord } from '../snapshots/run-record.ts';
import { emitFinished } from './execution.ts';
import { findForReading } from './find-stored.ts';
import { observeRepositories } from './observe-repositories.ts';
import { planRestoreOrder } from './plan-restore-order.ts';
import { needsSafety, prepareRestore, type PreparedRestore, type RestoreOrder } from './prepare-restore.ts';
import { describeRestored, restoreFlaws, setAsideBy } from './restore-result.ts';
import { identitiesIn } from './remembered-identities.ts';
import { openRun, recordOrTell, withFlaw, type OpenRun } from './run-record-writer.ts';
import { assertRestorable, checkRestore, runRestore, withArtifactsHere, type RestoreReport } from './run-restore.ts';
import { takeSafetySnapshot } from './safety-snapshot.ts';
import type { Session } from './session.ts';
import type { Plan, Step } from './step.ts';
import { ended, exitCodeOf, failedStep, type ApplyResult, type StepResult } from './step-result.ts';

export interface RestoreOptions {
  /** Take a safety snapshot where one is due. */
  readonly safety: boolean;
  readonly skipConflicts: boolean;
  readonly keepOldMs: number | null;
  readonly lockTimeoutMs: number;
}

export interface PlannedRestore {
  readonly plan: Plan;
  readonly prepared: PreparedRestore;
}

/** Finds the snapshot, looks at the destinations and plans the restore. Changes nothing. */
export async function planRestoreOf(
  session: Session,
  reference: string,
  order: RestoreOrder,
  safety: boolean,
): Promise<PlannedRestore> {
  const observation = await observeRepositories(session);
  const found = await findForReading(session, observation, reference);
  const prepared = await prepareRestore(session, found, order);
  const places = prepared.targets.map(({ destination }) => JSON.stringify(destination));
  if (new Set(places).size < places.length)
    throw usageError(`cannot restore ${reference}: two targets have the same destination`, {
      hint: 'name the target with --into target.key=value',
    });
  return { prepared, plan: planRestoreOrder(session, observation, prepared, safety) };
}

/** Carries out a planned restore: checks, safety snapshot, restore, record. Throws when nothing was changed. */
export const executeRestore = (
  session: Session,
  { plan, prepared }: PlannedRestore,
  options: RestoreOptions,
): Promise<ApplyResult> =>
  withArtifactsHere(session, prepared, (here) => executeHere(session, { plan, prepared: here }, options));

async function executeHere(
  session: Session,
  { plan, prepared }: PlannedRestore,
  options: RestoreOptions,
): Promise<ApplyResult> {
  await checkRestore(session, prepared);
  const capture = plan.steps.find((step) => step.action === 'create');
  if (capture !== undefined) await assertRestorable(session, prepared);
  const restore = plan.steps.find((step) => step.action === 'restore');
  if (restore === undefined) throw new Error('a restore plan without a restore');
  if (session.context.signing?.keyIfThere() === undefined && session.context.signing !== undefined)
    session.context.emit({
      type: 'note',
      message: 'the record of this restore is not signed: what it sets aside must be removed by hand',
    });
  const run = await openRunIfPossible(session, plan, prepared);
  const results: StepResult[] = [];
  let setAside: readonly SetAsideRecord[] = [];
  try {
    if (capture !== undefined) {
      const repository = repositoryOf(session, capture.repository);
      const order = { backup: prepared.found.backup, targets: prepared.targets.filter(needsSafety) };
      const place = { repository, lease: { waitMs: options.lockTimeoutMs } };
      const id = await takeSafetySnapshot(session, order, place, run);
      results.push(ended(capture, 'done', { snapshot: id, message: `the state before is ${capture.backup}@${id}` }));
    }
    const { id: stepId, action, address } = restore;
    session.context.emit({ type: 'step-started', stepId, action, address });
    const started = session.context.clock.monotonicMs();
    const report = await runRestore(session, prepared, options);
    setAside = setAsideBy(session, prepared, report, options.keepOldMs ?? prepared.found.backup.keepOldMs);
    const result = resultOf(restore, prepared, report, setAside);
    results.push({ ...result, durationMs: session.context.clock.monotonicMs() - started });
    // What came back is the result of the run, not an event of it.
    emitFinished(session, result.outcome === 'done' ? { ...result, message: null } : result);
  } catch (error) {
    results.push(failedStep(restore, error));
    await recordOrTell(session, () => run.finish(session.signal.aborted ? 'interrupted' : 'failed', results, setAside));
    throw error;
  }
  const outcome = exitCodeOf(plan, results, session.signal.aborted) === EXIT.done ? 'done' : 'partly';
  const problem = await recordOrTell(session, () => run.finish(outcome, results, setAside));
  const steps = withFlaw(results, problem);
  return { formatVersion: 1, steps, exitCode: exitCodeOf(plan, steps, session.signal.aborted) };
}

function resultOf(
  step: Step,
  prepared: PreparedRestore,
  report: RestoreReport,
  setAside: readonly SetAsideRecord[],
): StepResult {
  const message = describeRestored(prepared, report, setAside).join('; ');
  if (report.failed === null) return ended(step, 'done', { message, flaws: restoreFlaws(report) });
  const { target, error } = report.failed;
  const failure = failedStep(step, error);
  return {
    ...failure,
    outcome: 'partial',
    message: `${target}: ${failure.message ?? ''}; restored before it: ${Object.keys(report.outcomes).join(', ')}`,
  };
}

function repositoryOf(session: Session, name: string): Repository {
  const repository = session.repositories.find((opened) => opened.name === name)?.repository;
  if (repository === undefined || repository === null) throw usageError(`cannot write to ${name}: it is not open`);
  return repository;
}

/** A restore needs read rights only: where no record can be written, it goes on and says so. */
async function openRunIfPossible(session: Session, plan: Plan, prepared: PreparedRestore): Promise<OpenRun> {
  const startedAt = session.context.clock.now();
  const id = session.newId(startedAt);
  const { record, repository } = prepared.place;
  try {
    return await openRun(session, repository, {
      id,
      backup: record.backup,
      command: 'restore',
      startedAt,
      tick: null,
      captures: null,
      owedHooks: [],
      repositories: identitiesIn(plan),
      planned: plan.steps,
    });
  } catch (error) {
    if (!(error instanceof BkpError) || error.code !== 'repository') throw error;
    session.context.emit({
      type: 'warning',
      message: `no record of this restore is kept (${error.message}); what it sets aside must be removed by hand`,
    });
    return { id, hooksDone: async () => undefined, finish: async () => undefined };
  }
}
