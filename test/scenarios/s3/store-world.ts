import { expect } from 'vitest';
import type { Repository } from '../../../src/repositories/repository.ts';
import { openS3Repository } from '../../../src/repositories/s3.ts';
import { testBucket } from '../../repositories/s3/bucket.ts';
import { aManifest, idAt, storeSnapshot, takeLease, testRunner } from '../../snapshots/fixtures.ts';
import { newWorld, policyText, type World } from '../world.ts';

const DAY = 86_400_000;
/** How many there are. */
export const SNAPSHOTS = 20;

export interface StoreWorld {
  readonly world: World;
  readonly repository: Repository;
}

/** A world whose repository `nas` is a bucket with a snapshot of `app` for each of the last days. */
export async function worldWithStore(retention: string): Promise<StoreWorld> {
  const config = await testBucket();
  const policy = policyText(`schedule: { every: 6h }\nretention: { ${retention} }`, '[nas]');
  const world = newWorld(policy.replace('{ type: directory, path: nas }', JSON.stringify(config)));
  for (const name of ['nas', 'off']) expect((await world.bkp('init', '--repository', name)).code).toBe(0);
  const runner = testRunner();
  const repository = openS3Repository(config, runner);
  const lease = await takeLease(repository, runner, { backup: 'app' });
  for (let age = SNAPSHOTS; age > 0; age--) {
    const id = idAt(new Date(Date.now() - age * DAY).toISOString());
    await storeSnapshot(repository, aManifest(id, { backup: 'app' }), lease, runner);
  }
  await lease.release();
  return { world, repository };
}
