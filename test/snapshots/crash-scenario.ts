import { openDirectoryRepository } from '../../src/repositories/directory.ts';
import { fileSteps, type FileSteps } from '../../src/repositories/file-steps.ts';
import { repositoryIdentity } from '../../src/snapshots/identity.ts';
import { timeOfId } from '../../src/snapshots/ids.ts';
import type { LeaseContext } from '../../src/snapshots/leases.ts';
import { addMark } from '../../src/snapshots/marks.ts';
import { readInventory } from '../../src/snapshots/read-inventory.ts';
import { releaseSnapshot } from '../../src/snapshots/release-snapshot.ts';
import { cleanRemains } from '../../src/snapshots/remove-remains.ts';
import { watchSteps } from '../repositories/stepping.ts';
import { aManifest, idAt, storeSnapshot, takeLease } from './fixtures.ts';

/** What a run does to a directory repository: sweep, clean, store, mark, let the oldest snapshot go. */
export async function crashScenario(
  root: string,
  context: LeaseContext,
  beforeStep: (name: keyof FileSteps, number: number) => void | Promise<void>,
  say: (word: string) => void,
  steps: FileSteps = fileSteps,
): Promise<void> {
  const repository = openDirectoryRepository({ path: root }, { ...context, fileSteps: watchSteps(steps, beforeStep) });
  const identity = await repositoryIdentity(repository);
  if (identity === undefined) throw new Error('no repository');
  await repository.sweep();
  const lease = await takeLease(repository, context);
  const { remains, snapshots } = await readInventory(repository, { identity, policyNames: ['acme'] }, context);
  for (const { backup, id } of remains) {
    await cleanRemains(repository, { backup, id, policyNames: ['acme'] }, lease, context);
  }
  const newest = timeOfId(snapshots.at(-1)?.id ?? '') ?? new Date(0);
  const fresh = aManifest(idAt(new Date(newest.getTime() + 86_400_000).toISOString()));
  await storeSnapshot(repository, fresh, lease, context);
  say(`committed ${fresh.id}`);
  await addMark(repository, { ...fresh, kind: 'verified', data: { deep: false } }, lease, context);
  const [oldest] = snapshots;
  if (oldest !== undefined) {
    say(`releasing ${oldest.id}`);
    const request = { ...oldest, policyNames: ['acme'], reason: 'retention-exceeded' };
    await releaseSnapshot(repository, request, lease, context);
    say(`released ${oldest.id}`);
  }
  await lease.release();
}
