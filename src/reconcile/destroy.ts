import { guardError, notFoundError } from '../errors.ts';
import { acquireLease } from '../snapshots/leases.ts';
import { releaseSnapshot } from '../snapshots/release-snapshot.ts';
import { isGood, protection } from '../snapshots/standing.ts';
import { ownNames } from './backup-view.ts';
import type { FoundSnapshot } from './find-snapshot.ts';
import { openRun } from './run-record-writer.ts';
import { stoppable, type Session } from './session.ts';
import { ended } from './step-result.ts';
import type { Step } from './step.ts';
import { reason } from './reasons.ts';
import { addressOf } from './draft.ts';

export interface DestroyOptions {
  /** Also the last good one: the full name was given again. */
  readonly force: boolean;
  readonly lockTimeoutMs: number;
}

/** Why a snapshot may not be removed by hand, or null. */
export function destroyObstacle(found: FoundSnapshot, force: boolean): Error | null {
  const name = `${found.backup.name}@${found.id}`;
  const marked = found.places.map(({ record }) => protection(record)).find((one) => one !== null);
  if (marked !== undefined && marked !== null)
    return guardError(`cannot destroy ${name}: it is protected${marked.reason === '' ? '' : `: ${marked.reason}`}`, {
      hint: `\`bkp unprotect ${name}\` first`,
    });
  if (found.backup.protect || found.places.some(({ record }) => record.protect))
    return guardError(`cannot destroy ${name}: backup ${found.backup.name} has \`protect: true\``, {
      hint: 'retention still works; change the policy to destroy by hand',
    });
  const others = found.view.good.filter(({ record }) => record.kind === 'backup' && record.id !== found.id);
  const isGoodOne = found.places.some(({ record }) => isGood(record));
  const isNewest = others.every(({ record }) => record.startedAt < (found.places[0]?.record.startedAt ?? ''));
  if (isGoodOne && isNewest && !force)
    return guardError(`cannot destroy ${name}: it is the newest good snapshot of ${found.backup.name}`, {
      hint: `--force ${name} removes it all the same`,
    });
  return null;
}

/** Removes a snapshot from every place it is in, under each place's lease. Gives the names of the repositories. */
export async function destroySnapshot(
  session: Session,
  found: FoundSnapshot,
  options: DestroyOptions,
): Promise<readonly string[]> {
  const obstacle = destroyObstacle(found, options.force);
  if (obstacle !== null) throw obstacle;
  if (found.places.length === 0)
    throw notFoundError(`cannot destroy ${found.backup.name}@${found.id}: no repository has it`);
  const done: string[] = [];
  for (const { name, repository, record } of found.places) {
    const startedAt = session.context.clock.now();
    const run = session.newId(startedAt);
    const lease = await acquireLease(
      repository,
      { backup: record.backup, policy: session.policy.name, purpose: 'destroy', run, waitMs: options.lockTimeoutMs },
      stoppable(session),
    );
    try {
      const recordOfRun = await openRun(session, repository, {
        id: run,
        backup: record.backup,
        command: 'destroy',
        startedAt,
        tick: null,
        captures: null,
        owedHooks: [],
      });
      await releaseSnapshot(
        repository,
        { backup: record.backup, id: record.id, policyNames: ownNames(session.policy), reason: 'destroyed by hand' },
        lease,
        session.context,
      );
      await recordOfRun.finish('done', [ended(destroyedStep(found, name), 'done')], []);
      done.push(name);
    } finally {
      await lease.release().catch(() => undefined);
    }
  }
  return done;
}

/** Run records tell what happened in the words of a plan. */
function destroyedStep(found: FoundSnapshot, repository: string): Step {
  return {
    id: 's1',
    action: 'prune',
    address: addressOf(found.backup.name, repository),
    backup: found.backup.name,
    kind: 'backup',
    targets: [],
    repository,
    from: null,
    snapshot: found.id,
    snapshotFrom: null,
    artifacts: [],
    destination: null,
    mode: null,
    hooks: [],
    estimate: { readBytes: 0, writeBytes: 0 },
    reason: reason('requested', 'destroyed by hand'),
    source: null,
    destructive: true,
    dependsOn: [],
  };
}
