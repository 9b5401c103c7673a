import { BkpError } from '../errors.ts';
import { executeBackup } from './execute-backup.ts';
import { emitFinished, type ApplyOptions } from './execution.ts';
import type { Session } from './session.ts';
import { shareCatalogs } from './share-catalogs.ts';
import type { Plan, Step } from './step.ts';
import { ended, exitCodeOf, failedStep, type ApplyResult, type StepResult } from './step-result.ts';

/**
 * Carries out the steps of a plan, one backup after the other, each under its lease. A failure stops what depends on it
 * and the rest goes on; after a signal nothing new begins. Throws a `lock` error when the very first lease cannot be had, a
 * `guard` error before anything is done when what it writes would have to be signed and cannot.
 */
export async function applyPlan(session: Session, plan: Plan, options: ApplyOptions): Promise<ApplyResult> {
  if (plan.steps.length > 0) session.context.signing?.key();
  const results: StepResult[] = [];
  for (const backup of new Set(plan.steps.map((step) => step.backup))) {
    const steps = plan.steps.filter((step) => step.backup === backup);
    results.push(...(await applyBackup(session, plan, backup, steps, results, options)));
  }
  if (results.some(({ outcome }) => outcome === 'done' || outcome === 'partial')) await shareCatalogs(session);
  const order = new Map(plan.steps.map((step, index) => [step.id, index]));
  const sorted = results.toSorted((a, b) => (order.get(a.step.id) ?? 0) - (order.get(b.step.id) ?? 0));
  return { formatVersion: 1, steps: sorted, exitCode: exitCodeOf(plan, sorted, session.signal.aborted) };
}

async function applyBackup(
  session: Session,
  { repositories }: Plan,
  backup: string,
  steps: readonly Step[],
  before: readonly StepResult[],
  options: ApplyOptions,
): Promise<readonly StepResult[]> {
  const stopped = session.signal.aborted || (options.failFast && before.some((result) => result.outcome === 'failed'));
  if (stopped)
    return steps.map((step) =>
      notStarted(session, step, session.signal.aborted ? 'interrupted before it began' : 'an earlier step failed'),
    );
  try {
    return await executeBackup(session, backup, steps, repositories, options);
  } catch (error) {
    const nothingTried = before.every(({ outcome }) => outcome === 'skipped' || outcome === 'not-started');
    if (error instanceof BkpError && error.code === 'lock' && nothingTried) throw error;
    if (error instanceof BkpError && error.code === 'interrupted')
      return steps.map((step) => notStarted(session, step, 'interrupted before it began'));
    return steps.map((step) => {
      const result = failedStep(step, error);
      emitFinished(session, result);
      return result;
    });
  }
}

function notStarted(session: Session, step: Step, message: string): StepResult {
  const result = ended(step, 'not-started', { message });
  emitFinished(session, result);
  return result;
}
