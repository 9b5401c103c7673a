import { guardError, reasonOf } from '../errors.ts';
import { acquireLease } from '../snapshots/leases.ts';
import type { Lease } from '../snapshots/held-lease.ts';
import type { Repository } from '../repositories/repository.ts';
import { executeCreate } from './execute-create.ts';
import { needsSafety, type PreparedRestore } from './prepare-restore.ts';
import type { OpenRun } from './run-record-writer.ts';
import { stoppable, type Session } from './session.ts';

export interface SafetyPlace {
  readonly name: string;
  readonly repository: Repository;
  /** Held already when the restore is a step of `apply`. */
  readonly lease?: Lease;
}

/**
 * Captures what stands at the destinations that the restore changes in place. Gives the id of the safety snapshot. When
 * that cannot be done, the restore stops with a `guard` error.
 */
export async function takeSafetySnapshot(
  session: Session,
  prepared: PreparedRestore,
  place: SafetyPlace,
  run: OpenRun,
  lockTimeoutMs: number,
): Promise<string> {
  const { backup } = prepared.found;
  const startedAt = session.context.clock.now();
  const id = session.newId(startedAt);
  try {
    const lease =
      place.lease ??
      (await acquireLease(
        place.repository,
        {
          backup: backup.name,
          policy: session.policy.name,
          purpose: 'safety snapshot',
          run: run.id,
          waitMs: lockTimeoutMs,
        },
        stoppable(session),
      ));
    try {
      const targets = prepared.targets
        .filter(needsSafety)
        .map(({ resolved, destination }) => ({ ...resolved, config: destination }));
      const { manifest } = await executeCreate(session, {
        // Hooks stop the writers of the original, and its checks speak of the original: neither belongs to a destination.
        backup: { ...backup, hooks: { before: [], after: [] }, checks: {} },
        targets,
        kind: 'safety',
        id,
        startedAt,
        tick: null,
        repository: place.repository,
        lease,
        previous: undefined,
        run,
      });
      const failed = Object.entries(manifest.targets).find(([, target]) => target.status === 'failed');
      if (failed !== undefined) throw new Error(`${failed[0]}: ${failed[1].error ?? ''}`);
    } finally {
      if (place.lease === undefined) await lease.release().catch(() => undefined);
    }
  } catch (error) {
    if (session.signal.aborted) throw error;
    throw guardError(`cannot take a safety snapshot before the restore: ${reasonOf(error)}`, {
      hint: 'nothing was changed; --no-safety restores without one',
      cause: error,
    });
  }
  return id;
}
