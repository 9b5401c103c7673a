import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Repository } from '../../../src/repositories/repository.ts';
import { openS3Repository } from '../../../src/repositories/s3.ts';
import { openCatalog } from '../../../src/snapshots/catalog.ts';
import { initializeRepository } from '../../../src/snapshots/identity.ts';
import type { RepositoryInventory } from '../../../src/snapshots/inventory.ts';
import { beginKey, manifestKey } from '../../../src/snapshots/keys.ts';
import { writeManifest } from '../../../src/snapshots/manifest-codec.ts';
import { shareCatalog } from '../../../src/snapshots/share-catalog.ts';
import { testBucket, STORE } from '../../repositories/s3/bucket.ts';
import { startProxy, type Passing } from '../../repositories/s3/proxy.ts';
import { connectionOf } from '../../services/connection.ts';
import { giveToServer } from '../../services/server-process.ts';
import { testFolder } from '../../test-context.ts';
import { aManifest, idAt, inventoryOf, storeSnapshot, takeLease, testRunner } from '../fixtures.ts';

const runner = testRunner();
const HOUR_MS = 3_600_000;
const NEWEST = Date.parse('2026-11-19T02:00:00Z');

const idOf = (hours: number): string => idAt(new Date(NEWEST - hours * HOUR_MS).toISOString());

interface Counted {
  readonly repository: Repository;
  /** What was asked since the last call: listings, and keys that were read. */
  readonly asked: () => { readonly lists: number; readonly reads: readonly string[] };
}

/** A bucket that holds so many snapshots of each backup, put there by way of the server's disk. */
async function bucketOf(backups: readonly string[], each: number): Promise<Counted> {
  const config = await testBucket();
  const prefix = config.prefix ?? '';
  const root = join(connectionOf(STORE)['buckets'] ?? '', config.bucket, prefix);
  const give = (path: string): void => {
    mkdirSync(path, { recursive: true });
    giveToServer(path);
  };
  const write = (key: string, content: Uint8Array | string): void => {
    give(dirname(join(root, key)));
    writeFileSync(join(root, key), content);
  };
  const proxy = await startProxy(config.endpoint ?? '');
  const repository = openS3Repository({ ...config, endpoint: proxy.endpoint }, runner);
  await initializeRepository(repository, runner);
  for (const path of [dirname(root), root, join(root, 'manifests'), join(root, 'snapshots')]) give(path);
  // Sooner gone than by a request for each.
  onTestFinished(() => rmSync(root, { recursive: true }));
  for (const backup of backups) {
    for (const folder of ['manifests', 'snapshots']) give(join(root, folder, backup));
    for (let hours = each; hours > 0; hours--) {
      const id = idOf(hours);
      write(manifestKey(backup, id), writeManifest(aManifest(id, { backup })));
      write(beginKey(backup, id), '{}');
    }
  }
  let told = 0;
  const isList = ({ query }: Passing): boolean => query.get('list-type') === '2';
  return {
    repository,
    asked: () => {
      const seen = proxy.seen.slice(told);
      told = proxy.seen.length;
      const reads = seen
        // The helper of these tests asks whether the identity is there before it is read.
        .filter((one) => !isList(one) && one.method !== 'HEAD')
        .map(({ path }) => path.slice(path.indexOf(prefix) + prefix.length + 1));
      return { lists: seen.filter(isList).length, reads };
    },
  };
}

test('a cold machine pays the pages, the identity, the index, and what the index lacks', async () => {
  const { repository, asked } = await bucketOf(['kong', 'kong-db'], 1100);
  const cold = async (): Promise<RepositoryInventory> =>
    inventoryOf(repository, runner, { catalog: openCatalog(await testFolder()) });
  const catalog = openCatalog(await testFolder());
  const whole = await inventoryOf(repository, runner, { catalog });
  expect(whole.snapshots).toHaveLength(2200);
  const sequential = asked().lists - 2;
  await shareCatalog(repository, whole.repositoryId, catalog, false);
  asked();
  expect(await cold()).toEqual(whole);
  const { lists, reads } = asked();
  // One listing is that of `prepare`, which the test's own helper asks for.
  expect(lists - 1).toBeLessThanOrEqual(sequential + 1);
  expect(reads).toEqual(['bkp-repository.json', 'index/catalog.ndjson.zst']);
  const lease = await takeLease(repository, runner);
  const id = idOf(0);
  await storeSnapshot(repository, aManifest(id), lease, runner);
  await lease.release();
  asked();
  expect((await cold()).snapshots).toHaveLength(2201);
  const then = asked();
  expect(then.lists).toBeLessThanOrEqual(lists + 2);
  expect(then.reads.toSorted()).toEqual([...reads, 'locks/kong.1.json', manifestKey('kong', id)].toSorted());
});

test('a small repository has no index and costs seven listings', async () => {
  const { repository, asked } = await bucketOf(['kong', 'kong-db'], 3);
  const catalog = openCatalog(await testFolder());
  const { repositoryId } = await inventoryOf(repository, runner, { catalog });
  expect(await shareCatalog(repository, repositoryId, catalog, false)).toBeUndefined();
  asked();
  await inventoryOf(repository, runner, { catalog });
  expect(asked()).toEqual({ lists: 7, reads: ['bkp-repository.json'] });
});
