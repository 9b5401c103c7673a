import { EXIT, usageError, type ExitCode } from '../errors.ts';
import type { RestoreMode } from '../engines/engine.ts';
import { parseIntoFlags } from '../policy/overrides.ts';
import type { RestoreOrder } from '../reconcile/prepare-restore.ts';
import { executeRestore, planRestoreOf } from '../reconcile/restore.ts';
import type { Session } from '../reconcile/session.ts';
import { formatPlanText } from '../report/plan-text.ts';
import { applyJson, formatApply } from '../report/apply-text.ts';
import { workingDirectory } from '../system/working-directory.ts';
import type { CommandEnvironment, CommandRun } from './command.ts';
import { confirmed } from './confirm.ts';
import { durationOption, lockTimeout } from './durations.ts';
import type { OptionValues } from './option-values.ts';
import { planJson } from './plan.ts';
import { reporterFor } from './reporters.ts';
import { withRepositorySession } from './repository-session.ts';

/** Brings data back: shows as a plan what will be written over what, asks, checks, restores. */
export const restoreCommand: CommandRun = async ([reference = ''], options, environment) =>
  withRepositorySession(options, environment, reporterFor(options, environment), async (session, adHoc) => {
    const order = orderOf(session, reference, options);
    if (adHoc && Object.keys(order.into).length === 0) {
      throw usageError('cannot restore without a policy and without a destination', {
        hint: 'say where to: --into path=/srv/app.db or --into root=/srv/restore (target.key=value for several targets)',
      });
    }
    const planned = await planRestoreOf(session, reference, order, options.flag('safety'));
    const { terminal } = environment;
    const json = options.text('format') === 'json';
    if (options.flag('plan')) {
      terminal.out(json ? planJson(planned.plan) : formatPlanText(planned.plan, terminal.paint));
      return EXIT.done;
    }
    if (!json) terminal.out(formatPlanText(planned.plan, terminal.paint));
    if (!(await confirmed('Restore?', options, environment))) return EXIT.done;
    const result = await executeRestore(session, planned, {
      safety: options.flag('safety'),
      skipConflicts: options.flag('skipConflicts'),
      keepOldMs: durationOption(options, 'keepOld', '--keep-old') ?? null,
      lockTimeoutMs: lockTimeout(options),
    });
    terminal.out(json ? `${JSON.stringify(applyJson(result))}\n` : describe(result, environment));
    return result.exitCode satisfies ExitCode;
  });

function describe(result: Parameters<typeof formatApply>[0], { terminal }: CommandEnvironment): string {
  const lines = result.steps
    .filter((step) => step.outcome === 'done' && step.message !== null)
    .flatMap((step) => (step.message ?? '').split('; ').map((line) => `  ${line}\n`));
  return `${lines.join('')}${formatApply(result, terminal.paint)}`;
}

function orderOf(session: Session, reference: string, options: OptionValues): RestoreOrder {
  const backup = session.policy.backups.find(
    (one) => reference.startsWith(`${one.name}@`) || one.formerly.some((name) => reference.startsWith(`${name}@`)),
  );
  const known =
    backup === undefined
      ? session.policy.targets
      : Object.fromEntries(backup.targets.map((target) => [target.name, target]));
  const chosen = options.list('target');
  for (const name of chosen) {
    if (!(name in known))
      throw usageError(
        `cannot restore target ${name}: ${backup?.name ?? 'the policy'} has ${Object.keys(known).join(', ')}`,
      );
  }
  const wanted = chosen.length === 0 ? Object.keys(known) : chosen;
  const types = Object.fromEntries(
    wanted.flatMap((name) => (known[name] === undefined ? [] : [[name, known[name].config.type]])),
  );
  const mode = readMode(options.text('mode'));
  return {
    targets: chosen,
    into: parseIntoFlags(options.list('into'), types, workingDirectory()),
    mode: () => mode,
    paths: options.list('path'),
  };
}

const readMode = (text: string | undefined): RestoreMode => (text === 'replace' || text === 'merge' ? text : 'new');
