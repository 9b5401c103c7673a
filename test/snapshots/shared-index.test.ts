import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { Repository } from '../../src/repositories/repository.ts';
import { makeSigningKeys } from '../../src/signing/ed25519-key.ts';
import { signingWith } from '../../src/signing/signing.ts';
import { openCatalog, type Catalog } from '../../src/snapshots/catalog.ts';
import { initializeRepository } from '../../src/snapshots/identity.ts';
import type { RepositoryInventory } from '../../src/snapshots/inventory.ts';
import { INDEX_KEY, manifestKey } from '../../src/snapshots/keys.ts';
import type { InventoryRequest } from '../../src/snapshots/read-inventory.ts';
import { writeManifest } from '../../src/snapshots/manifest-codec.ts';
import { addMark } from '../../src/snapshots/marks.ts';
import { releaseSnapshot } from '../../src/snapshots/release-snapshot.ts';
import { writeRun } from '../../src/snapshots/runs.ts';
import { shareCatalog } from '../../src/snapshots/share-catalog.ts';
import { openMemoryObjectStore } from '../repositories/memory-repository.ts';
import { testFolder } from '../test-context.ts';
import { aManifest, idAt, inventoryOf, storeSnapshot, takeLease, testRunner } from './fixtures.ts';
import { forgeIndex, type Line } from './forge-index.ts';
import { aRun } from './run-fixture.ts';

const runner = testRunner();
const DAY_MS = 86_400_000;
const ids = Array.from({ length: 80 }, (_, day) =>
  idAt(new Date(Date.parse('2026-08-01T02:00:00Z') + day * DAY_MS).toISOString()),
);
const [first = '', second = ''] = ids;
const verified = { backup: 'kong', id: first, policy: 'acme', kind: 'verified', data: { deep: true } } as const;

interface Shared {
  readonly repository: Repository;
  readonly repositoryId: string;
  /** Of the machine that wrote the index. */
  readonly catalog: Catalog;
  /** Manifests, marks, runs and leases that were read. */
  readonly reads: string[];
  /** What a machine sees that knows nothing of it. */
  readonly elsewhere: (parts?: Partial<InventoryRequest>) => Promise<RepositoryInventory>;
}

/** A repository whose index tells all. */
async function shared(): Promise<Shared> {
  const plain = openMemoryObjectStore();
  const reads: string[] = [];
  const repository: Repository = {
    ...plain,
    read: (key) => {
      if (/^(manifests|marks|runs|locks)\//.test(key)) reads.push(key);
      return plain.read(key);
    },
  };
  const { id: repositoryId } = await initializeRepository(repository, runner);
  const lease = await takeLease(repository, runner);
  for (const id of ids) await storeSnapshot(repository, aManifest(id), lease, runner);
  await addMark(repository, verified, lease, runner);
  await writeRun(repository, aRun(first), {});
  await lease.release();
  const catalog = openCatalog(await testFolder());
  await inventoryOf(repository, runner, { catalog });
  expect(await shareCatalog(repository, repositoryId, catalog, false)).toBeGreaterThan(0);
  reads.length = 0;
  const elsewhere: Shared['elsewhere'] = async (parts = {}) =>
    inventoryOf(repository, runner, { catalog: openCatalog(await testFolder()), ...parts });
  return { repository, repositoryId, catalog, reads, elsewhere };
}

const bare = (repository: Repository): Promise<RepositoryInventory> =>
  inventoryOf(repository, runner, { unshared: 'all' });

test('a machine that knows nothing reads the index and sees the same', async () => {
  const { repository, reads, elsewhere } = await shared();
  const seen = await elsewhere();
  expect(reads).toEqual([]);
  expect(seen).toEqual(await bare(repository));
});

test('where signatures count, only an index that is signed is believed', async () => {
  const { repository, repositoryId, catalog, reads, elsewhere } = await shared();
  const [mine, theirs] = [makeSigningKeys(), makeSigningKeys()];
  const share = ({ publicKey, privateKey }: typeof mine): Promise<number | undefined> =>
    shareCatalog(
      repository,
      repositoryId,
      catalog,
      true,
      signingWith([publicKey], () => privateKey),
    );
  const readsOf = async (): Promise<number> => {
    reads.length = 0;
    await elsewhere({ trusted: [mine.publicKey] });
    return reads.length;
  };
  expect(await readsOf()).toBeGreaterThan(ids.length);
  await share(theirs);
  expect(await readsOf()).toBeGreaterThan(ids.length);
  await share(mine);
  expect(await readsOf()).toBe(0);
});

test('what the index lacks, tells in another version or tells of nothing is read from the objects', async () => {
  const { repository, reads, elsewhere } = await shared();
  const lease = await takeLease(repository, runner);
  const id = idAt('2026-11-09T02:00:00Z');
  await storeSnapshot(repository, aManifest(id), lease, runner);
  await releaseSnapshot(repository, { backup: 'kong', id: second, policyNames: ['acme'], reason: 'x' }, lease, runner);
  await writeRun(repository, aRun(first, { outcome: 'failed' }), {});
  await lease.release();
  reads.length = 0;
  const seen = await elsewhere();
  expect(reads.toSorted()).toEqual([
    'locks/kong.2.json',
    manifestKey('kong', id),
    expect.stringMatching(/^marks\/kong\/.*-released\.json$/),
    `runs/kong/${first}.json`,
  ]);
  expect(seen).toEqual(await bare(repository));
});

test('a manifest that was put back in another form is no drift where only the index knew the first', async () => {
  const { repository, elsewhere } = await shared();
  const other = aManifest(first, { policyFiles: { 'bkp.yaml': 'other' } });
  await repository.put(manifestKey('kong', first), writeManifest(other));
  const { snapshots, unreadable } = await elsewhere();
  expect([snapshots.length, unreadable]).toEqual([ids.length, []]);
});

test('a machine that knows some asks the index for the rest, once it is much', async () => {
  const { repository, reads } = await shared();
  const catalog = openCatalog(await testFolder());
  const hidden = new Set(ids.slice(20).map((id) => manifestKey('kong', id)));
  const early: Repository = {
    ...repository,
    listVersions: async (prefix) =>
      ((await repository.listVersions?.(prefix)) ?? []).filter(({ key }) => !hidden.has(key)),
  };
  await inventoryOf(early, runner, { catalog, unshared: 'all' });
  reads.length = 0;
  const seen = await inventoryOf(repository, runner, { catalog });
  expect(reads).toEqual([]);
  expect(seen).toEqual(await bare(repository));
});

test('nothing that only the index told is believed of a backup of which something is to be deleted', async () => {
  const { repository, reads, elsewhere } = await shared();
  const catalog = openCatalog(await testFolder());
  await elsewhere({ catalog });
  reads.length = 0;
  const seen = await elsewhere({ catalog, unshared: new Set(['kong']) });
  expect(reads.filter((key) => !key.startsWith('locks/'))).toHaveLength(ids.length + 2);
  expect(seen).toEqual(await bare(repository));
  reads.length = 0;
  await elsewhere({ catalog, unshared: new Set(['kong']) });
  expect(reads).toEqual([]);
});

test('a lie in the index is nothing to delete by', async () => {
  const { repository, elsewhere } = await shared();
  await forgeIndex(repository, (lines) =>
    lines.map((line) => JSON.parse(JSON.stringify(line).replaceAll('"created"', '"partial"'))),
  );
  const catalog = openCatalog(await testFolder());
  expect((await elsewhere({ catalog })).snapshots.every(({ status }) => status === 'partial')).toBe(true);
  const seen = await elsewhere({ catalog, unshared: new Set(['kong']) });
  expect(seen).toEqual(await bare(repository));
});

describe('an index is ignored that is', () => {
  const replaced = (change: (bytes: Buffer) => Uint8Array) => async (repository: Repository) =>
    void (await repository.put(INDEX_KEY, change(await repository.read(INDEX_KEY))));
  const head = (changes: Line) => (repository: Repository) =>
    forgeIndex(repository, ([first = {}, ...lines]) => [{ ...first, ...changes }, ...lines]);
  const kong = (change: (part: Line) => Line) => (repository: Repository) =>
    forgeIndex(repository, ([first = {}, ...lines]) => [first, ...lines.map(change)]);
  test.each<[string, (repository: Repository) => Promise<void>]>([
    ['empty', replaced(() => Buffer.alloc(0))],
    ['cut', replaced((bytes) => bytes.subarray(0, bytes.length - 40))],
    [
      'cut between two lines',
      replaced((bytes) => zstdCompressSync(zstdDecompressSync(bytes).toString().split('\n')[0] ?? '')),
    ],
    ['changed in one byte', replaced((bytes) => bytes.fill((bytes[200] ?? 0) ^ 1, 200, 201))],
    ['something else', replaced(() => Buffer.from('{"version":3}'))],
    ['of a newer bkp', head({ version: 1000 })],
    ['of an older bkp', head({ version: 1 })],
    ['of another repository', head({ repositoryId: 'another-repository' })],
    ['without rows', kong((part) => ({ ...part, manifests: null }))],
    [
      'with rows that do not fit',
      kong((part) => ({ ...part, manifests: { ...(part['manifests'] as Line), policies: [] } })),
    ],
    [
      'with a time that is none',
      kong((part) => JSON.parse(JSON.stringify(part).replaceAll(/"2026-08-01T02[^"]*"/g, '7')) as Line),
    ],
    [
      'with marks of others',
      kong((part) => JSON.parse(JSON.stringify(part).replace('"verified"', '"protected"')) as Line),
    ],
    [
      'with a run that is none',
      kong((part) => JSON.parse(JSON.stringify(part).replace('"setAside":[]', '"setAside":7')) as Line),
    ],
  ])('%s', async (_, damage) => {
    const { repository, reads, elsewhere } = await shared();
    await damage(repository);
    const seen = await elsewhere();
    expect(reads.length).toBeGreaterThan(ids.length);
    expect(seen).toEqual(await bare(repository));
  });
});

test('it is written by the first of two, left alone by the second, and not again for little', async () => {
  const { repository, repositoryId, catalog } = await shared();
  const before = await repository.stat(INDEX_KEY);
  expect(await shareCatalog(repository, repositoryId, catalog, false)).toBeUndefined();
  expect(await repository.stat(INDEX_KEY)).toEqual(before);
  const late: Repository = {
    ...repository,
    stat: async (key) => {
      const seen = await repository.stat(key);
      await repository.put(INDEX_KEY, Buffer.from('by another'));
      return seen;
    },
  };
  expect(await shareCatalog(late, repositoryId, catalog, true)).toBeUndefined();
  expect(String(await repository.read(INDEX_KEY))).toBe('by another');
});

test('it tells what is open in a manifest and nothing else', async () => {
  const { repository } = await shared();
  const text = zstdDecompressSync(await repository.read(INDEX_KEY)).toString();
  expect(text).toContain(first);
  for (const closed of ['events', '/srv/app.db', 'cat db.db', 'version: 1']) expect(text).not.toContain(closed);
});
