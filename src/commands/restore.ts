import { EXIT, guardError, usageError } from '../errors.ts';
import { obstacleAt, type PreparedRestore } from '../reconcile/prepare-restore.ts';
import { executeRestore, planRestoreOf } from '../reconcile/restore.ts';
import type { Plan } from '../reconcile/step.ts';
import type { ApplyResult } from '../reconcile/step-result.ts';
import { formatPlanText } from '../report/plan-text.ts';
import { applyJson, formatApply } from '../report/apply-text.ts';
import type { CommandEnvironment, CommandRun } from './command.ts';
import { confirmed } from './confirm.ts';
import { durationOption, lockTimeout } from './durations.ts';
import type { OptionValues } from './option-values.ts';
import { planExitCode, planJson } from './plan-output.ts';
import { runReporter, workReporter } from './reporters.ts';
import { withRepositorySession } from './repository-session.ts';
import { restoreOrder } from './restore-order.ts';
import { showPlan } from './show-plan.ts';

/** Brings data back: shows as a plan what will be written over what, refuses or asks, checks, restores. */
export const restoreCommand: CommandRun = async ([reference = ''], options, environment) => {
  const reporter = (options.flag('plan') ? workReporter : runReporter)(options, environment);
  return withRepositorySession(options, environment, reporter, async (session, adHoc) => {
    const keepOldMs = durationOption(options, 'keepOld', '--keep-old') ?? null;
    const lockTimeoutMs = lockTimeout(options);
    const order = {
      ...restoreOrder(session, reference, options),
      noOwner: !options.flag('owner'),
      acceptUnsigned: options.flag('acceptUnsigned'),
    };
    if (adHoc && Object.keys(order.into).length === 0) {
      throw usageError('cannot restore without a policy and without a destination', {
        hint: 'say where to: --into path=/srv/app.db or --into root=/srv/restore (target.key=value for several targets)',
      });
    }
    const planned = await planRestoreOf(session, reference, order, options.flag('safety'));
    if (options.flag('plan')) {
      printRestorePlan(planned.plan, options, environment);
      return planExitCode(planned.plan, false);
    }
    refuse(planned.prepared);
    showPlan(planned.plan, 'restore', options, environment);
    if (!(await confirmed(question(planned.plan), options, environment))) return EXIT.done;
    const result = await executeRestore(session, planned, {
      safety: options.flag('safety'),
      skipConflicts: options.flag('skipConflicts'),
      keepOldMs,
      lockTimeoutMs,
    });
    printRestored(planned.plan, result, options, environment);
    return result.exitCode;
  });
};

function printRestorePlan(made: Plan, options: OptionValues, { terminal }: CommandEnvironment): void {
  terminal.out(options.text('format') === 'json' ? planJson(made) : formatPlanText(made, terminal.paint, 'restore'));
}

/** Says everything that is in the way at once, before anything is asked or touched. */
function refuse({ targets }: PreparedRestore): void {
  const obstacles = targets.flatMap((target) => obstacleAt(target) ?? []);
  const [first] = obstacles;
  if (first === undefined) return;
  throw guardError(obstacles.map(({ message }) => message).join('; '), { hint: first.hint });
}

function question({ steps, summary }: Plan): string {
  const snapshot = steps.find((step) => step.action === 'restore')?.snapshot ?? '';
  return `Restore ${snapshot}${summary.destructive > 0 ? ' over what is there' : ''}?`;
}

function printRestored(made: Plan, result: ApplyResult, options: OptionValues, { terminal }: CommandEnvironment): void {
  if (options.text('format') === 'json') {
    terminal.out(`${JSON.stringify(applyJson(result))}\n`);
    return;
  }
  const lines = result.steps
    .filter((step) => step.outcome === 'done' && step.message !== null)
    .flatMap((step) => (step.message ?? '').split('; ').map((line) => `  ${line}\n`));
  terminal.out(`${lines.join('')}${formatApply(result, made, 'Restored', terminal.paint)}`);
}
