import type { Repository } from '../repositories/repository.ts';
import type { Lease } from '../snapshots/held-lease.ts';
import { acquireLease, type LeaseRequest } from '../snapshots/leases.ts';
import { stoppable, type Session } from './session.ts';

/**
 * Takes the lease of a backup for this policy, once the temporary files of dead writers are out of the way; a signal ends
 * the waiting, not the lease.
 */
export async function takeLease(
  session: Session,
  repository: Repository,
  request: Pick<LeaseRequest, 'backup' | 'purpose' | 'run' | 'waitMs'>,
): Promise<Lease> {
  const { leaseMs, policy } = session;
  const pace = leaseMs === undefined ? {} : { leaseMs, pollMs: Math.ceil(leaseMs / 10) };
  await repository.sweep();
  return acquireLease(repository, { ...request, policy: policy.name, ...pace }, stoppable(session));
}
