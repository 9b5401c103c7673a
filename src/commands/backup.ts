import { EXIT, guardError, repositoryError } from '../errors.ts';
import { applyPlan } from '../reconcile/apply.ts';
import type { PlanOptions } from '../reconcile/observation.ts';
import { planPolicy } from '../reconcile/plan-policy.ts';
import { printResult } from './apply.ts';
import type { CommandRun } from './command.ts';
import { lockTimeout } from './durations.ts';
import { withSession } from './open-session.ts';
import { knownBackup } from './plan-options.ts';
import { runReporter } from './reporters.ts';

/** Captures one backup now, whatever its schedule says, and copies it. Retention waits for `apply`. */
export const backupCommand: CommandRun = async ([name = ''], options, environment) =>
  withSession(options, environment, runReporter(options, environment), async (session) => {
    const backup = knownBackup(session.policy, name);
    const planning: PlanOptions = { backups: [backup], requested: [backup], only: ['create', 'copy', 'verify'] };
    const made = await planPolicy(session, planning);
    if (made.summary.create === 0) {
      const [notice] = [...made.errors, ...made.warnings];
      const reason = notice?.message ?? 'no repository can be written';
      const make = made.errors.length > 0 ? repositoryError : guardError;
      throw make(`cannot capture ${backup}: ${reason}`, { hint: notice?.hint ?? undefined });
    }
    if (options.text('format') === 'json')
      environment.terminal.out(`${JSON.stringify({ type: 'plan', plan: made })}\n`);
    const result = await applyPlan(session, made, {
      planning,
      failFast: false,
      lockTimeoutMs: lockTimeout(options),
      command: 'backup',
    });
    printResult(made, result, 'Captured', options, environment);
    return session.signal.aborted ? EXIT.interrupted : result.exitCode;
  });
