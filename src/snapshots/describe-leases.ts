import { eachLimited } from '../each-limited.ts';
import type { Repository } from '../repositories/repository.ts';
import type { HeldLease } from './inventory.ts';
import { LEASES, parseLeaseKey } from './keys.ts';
import { readLease } from './leases.ts';
import { listWithVersions } from './list-backups.ts';
import { READS_AT_ONCE } from './read-records.ts';

export interface DescribedLeases {
  /** Sorted by backup; their owners may be dead. */
  readonly held: readonly HeldLease[];
  /** Versions of the newest leases that were released, by key, where listings tell versions. */
  readonly released: ReadonlyMap<string, string>;
}

/** The leases that were not released, of all backups where none are named. What is known to be released in the listed version is not read. */
export async function describeLeases(
  repository: Repository,
  known: ReadonlyMap<string, string> = new Map(),
  backups?: ReadonlySet<string>,
): Promise<DescribedLeases> {
  const newest = new Map<string, { readonly key: string; readonly number: number; readonly version: string }>();
  for (const { key, version = '' } of await listWithVersions(repository, LEASES)) {
    const name = parseLeaseKey(key);
    if (name === undefined || backups?.has(name.backup) === false) continue;
    if (name.number < (newest.get(name.backup)?.number ?? 0)) continue;
    newest.set(name.backup, { key, number: name.number, version });
  }
  const released = new Map<string, string>();
  const sorted = [...newest].toSorted(([one], [other]) => (one < other ? -1 : 1));
  const held = await eachLimited(sorted, READS_AT_ONCE, async ([backup, { key, number, version }]) => {
    const isKnown = version !== '' && known.get(key) === version;
    const lease = isKnown ? undefined : (await readLease(repository, backup, number))?.lease;
    if (version !== '' && (isKnown || (lease?.state === 'released' && lease.number === number)))
      released.set(key, version);
    if (lease?.state !== 'held') return [];
    const { owner, acquiredAt, renewedAt, purpose } = lease;
    return [{ backup, number: lease.number, owner, acquiredAt, renewedAt, purpose }];
  });
  return { held: held.flat(), released };
}
