import { EXIT, notFoundError, type ExitCode } from '../errors.ts';
import { findSnapshot } from '../reconcile/find-snapshot.ts';
import { observeRepositories } from '../reconcile/observe-repositories.ts';
import { markProtection } from '../reconcile/protect.ts';
import { reportWarnings } from '../report/run-events.ts';
import type { CommandEnvironment, CommandRun } from './command.ts';
import { withSession } from './open-session.ts';
import type { OptionValues } from './option-values.ts';

/** Keeps a snapshot against everything, in every repository that has it. */
export const protectCommand: CommandRun = ([reference = ''], options, environment) =>
  markEverywhere(reference, 'protected', options, environment);

/** Lets retention have a snapshot that was protected. */
export const unprotectCommand: CommandRun = ([reference = ''], options, environment) =>
  markEverywhere(reference, 'unprotected', options, environment);

function markEverywhere(
  reference: string,
  kind: 'protected' | 'unprotected',
  options: OptionValues,
  environment: CommandEnvironment,
): Promise<ExitCode> {
  return withSession(options, environment, reportWarnings(environment.terminal), async (session) => {
    const observation = await observeRepositories(session);
    const found = findSnapshot(session, observation, reference);
    const unreadable = found.view.repositories
      .filter((repository) => repository.state !== 'ready')
      .map(({ name }) => name);
    if (found.places.length === 0) throw notFoundError(`cannot mark ${reference}: no repository has it`);
    const held = await markProtection(session, found, kind, options.text('reason') ?? '');
    const { terminal } = environment;
    const snapshot = `${found.backup.name}@${found.id}`;
    const repositories = found.places.map(({ name }) => name);
    const heldIn = held.filter(({ hold }) => hold === 'set').map(({ repository }) => repository);
    const refusals = held.filter(({ hold }) => hold === 'refused');
    const refused = refusals.map(({ repository }) => repository);
    if (options.text('format') === 'json')
      terminal.out(
        `${JSON.stringify({ formatVersion: 1, snapshot, protected: kind === 'protected', repositories, held: heldIn, refused, missed: unreadable }, null, 2)}\n`,
      );
    else
      terminal.out(
        `${kind === 'protected' ? 'Protected' : 'Unprotected'} ${snapshot} in ${repositories.join(', ')}${heldIn.length > 0 ? `; held by the store in ${heldIn.join(', ')}` : ''}.\n`,
      );
    for (const { repository, message, hint } of refusals) {
      const what = kind === 'protected' ? 'the mark is set, a hold is not' : 'the hold may still be there';
      terminal.err(`${terminal.paintErr('yellow', 'warning:')} ${repository}: ${what}: ${message ?? ''}\n`);
      if (hint !== null) terminal.err(`${terminal.paintErr('cyan', 'hint:')} ${hint}\n`);
    }
    for (const name of unreadable)
      terminal.err(`${terminal.paintErr('yellow', 'warning:')} ${name} cannot be reached: the mark is missing there\n`);
    return unreadable.length + refused.length > 0 ? EXIT.partly : EXIT.done;
  });
}
