import { EXIT, notFoundError, type ExitCode } from '../errors.ts';
import { findSnapshot } from '../reconcile/find-snapshot.ts';
import { observeRepositories } from '../reconcile/observe-repositories.ts';
import { reportWarnings } from '../report/run-events.ts';
import { addMark } from '../snapshots/marks.ts';
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
    const data = { reason: options.text('reason') ?? '' };
    for (const { repository, record } of found.places) {
      await addMark(
        repository,
        { backup: record.backup, id: found.id, policy: session.policy.name, kind, data },
        null,
        session.context,
      );
    }
    const { terminal } = environment;
    const snapshot = `${found.backup.name}@${found.id}`;
    const repositories = found.places.map(({ name }) => name);
    if (options.text('format') === 'json')
      terminal.out(
        `${JSON.stringify({ formatVersion: 1, snapshot, protected: kind === 'protected', repositories, missed: unreadable }, null, 2)}\n`,
      );
    else
      terminal.out(
        `${kind === 'protected' ? 'Protected' : 'Unprotected'} ${snapshot} in ${repositories.join(', ')}.\n`,
      );
    for (const name of unreadable)
      terminal.err(`${terminal.paintErr('yellow', 'warning:')} ${name} cannot be reached: the mark is missing there\n`);
    return unreadable.length > 0 ? EXIT.partly : EXIT.done;
  });
}
