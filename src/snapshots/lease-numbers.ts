import type { Repository } from '../repositories/repository.ts';
import { LEASES, parseLeaseKey } from './keys.ts';

/** Numbers of all leases of a backup, old ones included, ascending. */
export async function leaseNumbers(repository: Repository, backup: string): Promise<readonly number[]> {
  const keys = await repository.list(LEASES, 'shallow');
  return keys
    .flatMap((key) => parseLeaseKey(key) ?? [])
    .filter((lease) => lease.backup === backup)
    .map((lease) => lease.number)
    .toSorted((a, b) => a - b);
}
