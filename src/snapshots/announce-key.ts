import type { Clock } from '../context.ts';
import { lockError } from '../errors.ts';
import type { Repository } from '../repositories/repository.ts';
import { writeBegin } from './begin.ts';
import type { Lease } from './held-lease.ts';
import { beginKey, type SnapshotName } from './keys.ts';
import { assertKeys } from './manifest-codec.ts';
import { readBegin } from './remove-remains.ts';

/** Lists one more key in the begin.json of a snapshot that is there, so that whoever lets it go finds what is about to come. */
export async function announceKey(
  repository: Repository,
  { backup, id, policy }: SnapshotName & { readonly policy: string },
  key: string,
  lease: Lease,
  clock: Clock,
): Promise<void> {
  const earlier = await readBegin(repository, { backup, id });
  if (earlier?.cleaning === true)
    throw lockError(`cannot store ${backup}@${id}: another run removes it`, { hint: 'run `bkp plan` again' });
  const begin = earlier ?? {
    formatVersion: 1 as const,
    policy,
    backup,
    id,
    owner: lease.owner,
    lease: { backup: lease.backup, number: lease.number },
    startedAt: clock.now().toISOString(),
    keys: [],
  };
  assertKeys([...begin.keys, key]);
  await lease.assertHeld();
  await repository.put(beginKey(backup, id), writeBegin({ ...begin, keys: [...begin.keys, key] }));
  // A list that came late may be read by nobody: what it lists must not come then.
  await lease.assertHeld();
}
