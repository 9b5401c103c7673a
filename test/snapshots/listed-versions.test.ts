import { expect, test } from 'vitest';
import type { Repository } from '../../src/repositories/repository.ts';
import { openCatalog, type Catalog } from '../../src/snapshots/catalog.ts';
import { initializeRepository } from '../../src/snapshots/identity.ts';
import { manifestKey, runKey } from '../../src/snapshots/keys.ts';
import { writeManifest } from '../../src/snapshots/manifest-codec.ts';
import { addMark } from '../../src/snapshots/marks.ts';
import { writeRun } from '../../src/snapshots/runs.ts';
import { openMemoryObjectStore } from '../repositories/memory-repository.ts';
import { testFolder } from '../test-context.ts';
import { aManifest, idAt, inventoryOf, storeSnapshot, takeLease, testRunner } from './fixtures.ts';
import { aRun } from './run-fixture.ts';

const runner = testRunner();
const DAY_MS = 86_400_000;
/** More than a directory repository looks at again. */
const ids = Array.from({ length: 70 }, (_, day) =>
  idAt(new Date(Date.parse('2026-08-01T02:00:00Z') + day * DAY_MS).toISOString()),
);
const [oldest = ''] = ids;

interface Stored {
  readonly repository: Repository;
  readonly catalog: Catalog;
  /** Manifests, marks and runs that were read or looked at since the catalog knew all. */
  readonly asked: string[];
}

/** An object store whose contents the catalog knows. */
async function known(): Promise<Stored> {
  const plain = openMemoryObjectStore();
  const asked: string[] = [];
  const note = (key: string): void => void (/^(manifests|marks|runs)\//.test(key) && asked.push(key));
  const repository: Repository = {
    ...plain,
    read: (key) => (note(key), plain.read(key)),
    stat: (key) => (note(key), plain.stat(key)),
  };
  await initializeRepository(repository, runner);
  const lease = await takeLease(repository, runner);
  for (const id of ids) await storeSnapshot(repository, aManifest(id), lease, runner);
  await addMark(repository, { backup: 'kong', id: oldest, policy: 'acme', kind: 'verified', data: {} }, lease, runner);
  for (const id of ids.slice(0, 3)) await writeRun(repository, aRun(id), {});
  await lease.release();
  const catalog = openCatalog(await testFolder());
  const cold = await inventoryOf(repository, runner, { catalog });
  expect(cold.snapshots).toHaveLength(ids.length);
  asked.length = 0;
  return { repository, catalog, asked };
}

test('what the catalog knows in the listed version is asked for by nothing but the listings', async () => {
  const { repository, catalog, asked } = await known();
  const warm = await inventoryOf(repository, runner, { catalog });
  expect(asked).toEqual([]);
  expect(warm).toEqual(await inventoryOf(repository, runner));
});

test('the oldest manifest that changed is seen at once, and is drift from then on', async () => {
  const { repository, catalog, asked } = await known();
  const key = manifestKey('kong', oldest);
  await repository.put(key, writeManifest(aManifest(oldest, { policyFiles: { 'bkp.yaml': 'other' } })));
  for (let look = 0; look < 3; look++) {
    const { snapshots, unreadable } = await inventoryOf(repository, runner, { catalog });
    expect(snapshots.map(({ id }) => id)).toEqual(ids.slice(1));
    expect(unreadable).toMatchObject([{ id: oldest, reason: 'changed' }]);
  }
  expect(new Set(asked)).toEqual(new Set([key]));
});

test('a mark or a run record that was replaced is read again, once, and no other', async () => {
  const { repository, catalog, asked } = await known();
  const [mark = ''] = await repository.list('marks/', 'deep');
  await repository.put(
    mark,
    Buffer.from(String(await repository.read(mark)).replace('"data": {}', '"data": {"deep": true}')),
  );
  await writeRun(repository, aRun(oldest, { outcome: 'failed' }), {});
  asked.length = 0;
  for (let look = 0; look < 2; look++) {
    const { snapshots, runs } = await inventoryOf(repository, runner, { catalog });
    expect(snapshots[0]?.marks).toMatchObject([{ kind: 'verified', data: { deep: true } }]);
    expect(runs.map(({ outcome }) => outcome)).toEqual(['failed', 'done', 'done']);
  }
  expect(asked).toEqual([mark, runKey('kong', oldest)]);
});

test('reading what is missing ends when it is asked to', async () => {
  const { repository, asked } = await known();
  const stopping = new AbortController();
  const slow: Repository = {
    ...repository,
    read: async (key) => {
      if (asked.length === 5) stopping.abort();
      return repository.read(key);
    },
  };
  const reading = inventoryOf(slow, testRunner({ signal: stopping.signal }), { unshared: 'all' });
  await expect(reading).rejects.toMatchObject({ code: 'interrupted' });
  expect(asked.length).toBeLessThan(ids.length);
});
