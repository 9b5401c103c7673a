import { guardError, reasonOf } from '../errors.ts';
import type { Target } from '../generated/policy.ts';
import type { ResolvedBackup, ResolvedTarget } from '../policy/resolved-policy.ts';
import type { Lease } from '../snapshots/held-lease.ts';
import type { Repository } from '../repositories/repository.ts';
import { executeCreate } from './execute-create.ts';
import type { OpenRun } from './run-record-writer.ts';
import type { Session } from './session.ts';
import { takeLease } from './take-lease.ts';

export interface SafetyOrder {
  readonly backup: ResolvedBackup;
  /** What a restore changes in place: the target and, over it, where that restore writes. */
  readonly targets: readonly {
    readonly resolved: ResolvedTarget;
    readonly destination: Target;
    readonly into: Readonly<Record<string, unknown>>;
  }[];
}

export interface SafetyPlace {
  readonly repository: Repository;
  /** Held already when the restore is a step of `apply`; taken for this else, with this long a wait. */
  readonly lease: Lease | { readonly waitMs: number };
}

/**
 * Captures what stands at the destinations that a restore changes in place. Gives the id of the safety snapshot. When
 * that cannot be done, the restore stops with a `guard` error.
 */
export async function takeSafetySnapshot(
  session: Session,
  order: SafetyOrder,
  place: SafetyPlace,
  run: OpenRun,
): Promise<string> {
  try {
    return await underLease(session, order.backup.name, place, run, (lease) =>
      capture(session, order, place.repository, lease, run),
    );
  } catch (error) {
    if (session.signal.aborted) throw error;
    throw guardError(`cannot take a safety snapshot before the restore: ${reasonOf(error)}`, {
      hint: 'nothing was changed; `bkp restore --no-safety` restores without one',
      cause: error,
    });
  }
}

async function underLease(
  session: Session,
  backup: string,
  { repository, lease }: SafetyPlace,
  run: OpenRun,
  work: (lease: Lease) => Promise<string>,
): Promise<string> {
  if ('assertHeld' in lease) return work(lease);
  const request = { backup, purpose: 'safety snapshot', run: run.id, waitMs: lease.waitMs };
  const taken = await takeLease(session, repository, request);
  try {
    return await work(taken);
  } finally {
    await taken.release().catch(() => undefined);
  }
}

async function capture(
  session: Session,
  { backup, targets }: SafetyOrder,
  repository: Repository,
  lease: Lease,
  run: OpenRun,
): Promise<string> {
  const startedAt = session.context.clock.now();
  const id = session.newId(startedAt);
  const { manifest } = await executeCreate(session, {
    // Hooks stop the writers of the original, and its checks speak of the original: neither belongs to a destination.
    backup: { ...backup, hooks: { before: [], after: [] }, checks: {} },
    targets: targets.map(({ resolved, destination, into }) => ({
      ...resolved,
      config: destination,
      definition: { ...resolved.definition, ...into },
    })),
    kind: 'safety',
    id,
    startedAt,
    tick: null,
    repository,
    lease,
    previous: undefined,
    earlier: new Map(),
    run,
    besides: [],
  });
  const failed = Object.entries(manifest.targets).find(([, target]) => target.status === 'failed');
  if (failed !== undefined) throw guardError(`${failed[0]}: ${failed[1].error ?? ''}`);
  return id;
}
