/**
 * One run against a directory repository, killed by itself right before the file system step of the given number:
 * `node crash-child.ts ROOT STEP`. Says on stdout what was acknowledged to it, and how many steps there are.
 */
import { writeSync } from 'node:fs';
import { openDirectoryRepository } from '../../src/repositories/directory.ts';
import { fileSteps } from '../../src/repositories/file-steps.ts';
import { repositoryIdentity } from '../../src/snapshots/identity.ts';
import { timeOfId } from '../../src/snapshots/ids.ts';
import { addMark } from '../../src/snapshots/marks.ts';
import { readInventory } from '../../src/snapshots/read-inventory.ts';
import { releaseSnapshot } from '../../src/snapshots/release-snapshot.ts';
import { cleanRemains } from '../../src/snapshots/remove-remains.ts';
import { systemClock } from '../../src/system/clock.ts';
import { describeHost } from '../../src/system/host.ts';
import { watchSteps } from '../repositories/stepping.ts';
import { aManifest, idAt, storeSnapshot, takeLease } from './fixtures.ts';

const [root = '', killAt = '0'] = process.argv.slice(2);
const say = (word: string): number => writeSync(1, `${word}\n`);
const context = {
  clock: systemClock,
  host: describeHost(),
  signal: new AbortController().signal,
  emit: () => undefined,
};

let steps = 0;
const repository = openDirectoryRepository(
  { path: root },
  {
    ...context,
    fileSteps: watchSteps(fileSteps, async (_, number) => {
      steps = number;
      if (number !== Number(killAt)) return;
      process.kill(process.pid, 'SIGKILL');
      await new Promise(() => undefined);
    }),
  },
);

const identity = await repositoryIdentity(repository);
if (identity === undefined) throw new Error('no repository');
await repository.sweep();
const lease = await takeLease(repository, context, { run: `run-${process.pid}` });
const { remains, snapshots } = await readInventory(repository, { identity, policyNames: ['acme'] }, context);
for (const { backup, id } of remains)
  await cleanRemains(repository, { backup, id, policyNames: ['acme'] }, lease, context);
const newest = timeOfId(snapshots.at(-1)?.id ?? '') ?? new Date(0);
const fresh = aManifest(idAt(new Date(newest.getTime() + 86_400_000).toISOString()));
await storeSnapshot(repository, fresh, lease, context);
say(`committed ${fresh.id}`);
await addMark(repository, { ...fresh, kind: 'verified', data: { deep: false } }, lease, context);
const [oldest] = snapshots;
if (oldest !== undefined) {
  say(`releasing ${oldest.id}`);
  await releaseSnapshot(repository, { ...oldest, policyNames: ['acme'], reason: 'retention-exceeded' }, lease, context);
  say(`released ${oldest.id}`);
}
await lease.release();
say(`steps ${steps}`);
