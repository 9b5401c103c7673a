import { EXIT, repositoryError } from '../errors.ts';
import { formatInstant } from '../reconcile/phrases.ts';
import { formatTable } from '../report/table.ts';
import { reportWarnings } from '../report/run-events.ts';
import { breakLease, describeLeases } from '../snapshots/leases.ts';
import type { CommandRun } from './command.ts';
import { confirmed } from './confirm.ts';
import { withRepositorySession } from './repository-session.ts';

/** Shows who holds the lease of a backup, asks, and ends it: the holder stops at its next look. */
export const unlockCommand: CommandRun = async ([backup = ''], options, environment) =>
  withRepositorySession(options, environment, reportWarnings(environment.terminal), async (session) => {
    const { terminal } = environment;
    const json = options.text('format') === 'json';
    const held = [];
    for (const { name, repository } of session.repositories) {
      if (repository === null) throw repositoryError(`cannot open ${name}`);
      if (!(await repository.exists())) continue;
      for (const lease of await describeLeases(repository))
        if (lease.backup === backup) held.push({ name, repository, lease });
    }
    if (held.length === 0) {
      terminal.out(
        json
          ? `${JSON.stringify({ formatVersion: 1, backup, broken: [] })}\n`
          : `Nobody holds the lease of ${backup}.\n`,
      );
      return EXIT.done;
    }
    const rows = held.map(({ name, lease }) => [
      name,
      `process ${lease.owner.pid} on ${lease.owner.host}`,
      lease.purpose,
      `since ${formatInstant(lease.acquiredAt)}`,
      `last sign ${formatInstant(lease.renewedAt)}`,
    ]);
    terminal.err(formatTable(rows));
    if (!(await confirmed('End these leases? A run that is alive stops at its next step.', options, environment)))
      return EXIT.done;
    const run = session.newId(session.context.clock.now());
    for (const { repository } of held)
      await breakLease(repository, { backup, policy: session.policy.name, run }, session.context);
    terminal.out(
      json
        ? `${JSON.stringify({ formatVersion: 1, backup, broken: held.map(({ name, lease }) => ({ repository: name, ...lease })) })}\n`
        : `Ended the lease of ${backup} in ${held.map(({ name }) => name).join(', ')}.\n`,
    );
    return EXIT.done;
  });
