import { EXIT, type ExitCode } from '../errors.ts';
import { checkForRestore, checkRepositories, checkTargets, type OnlineCheck } from '../reconcile/online-checks.ts';
import { observeRepositories } from '../reconcile/observe-repositories.ts';
import { checksJson, formatChecks } from '../report/checks-text.ts';
import { reportWarnings } from '../report/run-events.ts';
import type { CommandEnvironment, CommandRun } from './command.ts';
import { withSession } from './open-session.ts';
import type { OptionValues } from './option-values.ts';
import { restoreOrder } from './restore-order.ts';

/** `validate --online`: every target and repository reached; `--for restore` adds what that snapshot needs. Exit 6 on a failed check. */
export const validateOnline = (options: OptionValues, environment: CommandEnvironment): Promise<ExitCode> =>
  withSession(options, environment, reportWarnings(environment.terminal), async (session) => {
    const observation = await observeRepositories(session);
    const snapshot = options.text('snapshot');
    const forRestore = (reference: string): Promise<readonly OnlineCheck[]> => {
      const order = restoreOrder(session, reference, options);
      const mode = options.text('mode') === undefined ? null : order.mode;
      return checkForRestore(session, observation, reference, { ...order, mode });
    };
    const checks = [
      ...(await checkTargets(session)),
      ...(await checkRepositories(session, observation, true)),
      ...(snapshot === undefined ? [] : await forRestore(snapshot)),
    ];
    return print(checks, options, environment);
  });

/** The short form: is everything there? Writes nothing at all. */
export const pingCommand: CommandRun = (_args, options, environment) =>
  withSession(options, environment, reportWarnings(environment.terminal), async (session) =>
    print(
      [
        ...(await checkTargets(session)),
        ...(await checkRepositories(session, await observeRepositories(session), false)),
      ],
      options,
      environment,
    ),
  );

function print(checks: readonly OnlineCheck[], options: OptionValues, { terminal }: CommandEnvironment): ExitCode {
  terminal.out(
    options.text('format') === 'json'
      ? `${JSON.stringify(checksJson(checks), null, 2)}\n`
      : formatChecks(checks, terminal.paint),
  );
  return checks.every(({ ok }) => ok) ? EXIT.done : EXIT.guarded;
}
