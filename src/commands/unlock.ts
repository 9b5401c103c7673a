import { EXIT } from '../errors.ts';
import { observeRepositories } from '../reconcile/observe-repositories.ts';
import { formatInstant } from '../reconcile/phrases.ts';
import type { Session } from '../reconcile/session.ts';
import { formatTable } from '../report/table.ts';
import { reportWarnings } from '../report/run-events.ts';
import type { HeldLease } from '../snapshots/inventory.ts';
import { describeLeases } from '../snapshots/describe-leases.ts';
import { breakLease } from '../snapshots/leases.ts';
import type { CommandRun } from './command.ts';
import { confirmed } from './confirm.ts';
import { sayUnreadable } from './list.ts';
import { knownBackup } from './plan-options.ts';
import { withRepositorySession } from './repository-session.ts';

interface Held {
  readonly repository: string;
  readonly lease: HeldLease;
}

/** Shows who holds the lease of a backup, asks, and ends it: the holder stops at its next look. */
export const unlockCommand: CommandRun = async ([backup = ''], options, environment) =>
  withRepositorySession(options, environment, reportWarnings(environment.terminal), async (session) => {
    const { terminal } = environment;
    const exitCode = sayUnreadable(await observeRepositories(session), terminal) ? EXIT.partly : EXIT.done;
    const held = await heldLeases(session, backup);
    // A backup that left the policy may still hold one; a name that nobody knows is a slip.
    if (held.length === 0) knownBackup(session.policy, backup);
    else {
      terminal.err(formatTable([['REPOSITORY', 'HELD BY', 'FOR', 'SINCE', 'LAST SIGN'], ...held.map(describe)]));
      const question = `End the lease of ${backup}? A run that is alive stops at its next step.`;
      if (!(await confirmed(question, options, environment))) return EXIT.done;
    }
    const run = session.newId(session.context.clock.now());
    for (const { name, repository } of session.repositories) {
      if (repository === null || !held.some((one) => one.repository === name)) continue;
      await breakLease(repository, { backup, policy: session.policy.name, run }, session.context);
    }
    const broken = held.map(({ repository, lease }) => ({ repository, ...lease }));
    if (options.text('format') === 'json')
      terminal.out(`${JSON.stringify({ formatVersion: 1, backup, broken }, null, 2)}\n`);
    else if (held.length === 0) terminal.out(`Nobody holds the lease of ${backup}.\n`);
    else terminal.out(`Ended the lease of ${backup} in ${held.map(({ repository }) => repository).join(', ')}.\n`);
    return exitCode;
  });

async function heldLeases(session: Session, backup: string): Promise<readonly Held[]> {
  const held: Held[] = [];
  for (const { name, repository } of session.repositories) {
    if (repository === null || !(await repository.exists())) continue;
    for (const lease of (await describeLeases(repository)).held)
      if (lease.backup === backup) held.push({ repository: name, lease });
  }
  return held;
}

const describe = ({ repository, lease }: Held): readonly string[] => [
  repository,
  `process ${lease.owner.pid} on ${lease.owner.host}`,
  lease.purpose,
  formatInstant(lease.acquiredAt),
  formatInstant(lease.renewedAt),
];
