import { EXIT } from '../errors.ts';
import { removedSnapshots } from '../reconcile/find-stored.ts';
import { listDeleted, listSnapshots } from '../reconcile/list-snapshots.ts';
import { observeRepositories } from '../reconcile/observe-repositories.ts';
import type { Observation } from '../reconcile/observation.ts';
import { count } from '../reconcile/phrases.ts';
import { formatList, formatListPlain } from '../report/list-table.ts';
import { reportWarnings } from '../report/run-events.ts';
import type { Terminal } from '../report/terminal.ts';
import type { CommandRun } from './command.ts';
import { knownBackup } from './plan-options.ts';
import { withRepositorySession } from './repository-session.ts';

/** Lists snapshots, newest first. A repository that cannot be read is said on the error stream and makes the exit code 7. */
export const listCommand: CommandRun = async ([backup], options, environment) =>
  withRepositorySession(options, environment, reportWarnings(environment.terminal), async (session) => {
    const observation = await observeRepositories(session);
    const isDeleted = options.flag('deleted');
    const rows = isDeleted
      ? await listDeleted(session, observation, backup)
      : listSnapshots(session, observation, backup);
    // Snapshots of a backup that left the policy can still be listed; a name that nobody knows is a slip.
    if (backup !== undefined && rows.length === 0) knownBackup(session.policy, backup);
    const { terminal } = environment;
    const format = options.text('format');
    if (format === 'json') terminal.out(`${JSON.stringify({ formatVersion: 1, snapshots: rows }, null, 2)}\n`);
    else if (format === 'plain') terminal.out(formatListPlain(rows));
    else terminal.out(formatList(rows, terminal.paint));
    const deleted = isDeleted ? 0 : removedSnapshots(session, observation).length;
    if (deleted > 0)
      terminal.err(
        `${terminal.paintErr('yellow', 'warning:')} ${count(deleted, 'snapshot')} deleted without bkp: bkp list --deleted\n`,
      );
    return sayUnreadable(observation, terminal) ? EXIT.partly : EXIT.done;
  });

/** Says which repositories are missing from a result; true when there are any. */
export function sayUnreadable(observation: Observation, terminal: Terminal): boolean {
  const out = observation.repositories.filter((repository) => repository.state !== 'ready');
  for (const { message, hint } of out) {
    terminal.err(`${terminal.paintErr('yellow', 'warning:')} ${message}\n`);
    if (hint !== null) terminal.err(`${terminal.paintErr('cyan', 'hint:')} ${hint}\n`);
  }
  return out.length > 0;
}
