import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Repository } from '../../src/repositories/repository.ts';
import { openCatalog, type Catalog } from '../../src/snapshots/catalog.ts';
import { initializeRepository } from '../../src/snapshots/identity.ts';
import { manifestKey } from '../../src/snapshots/keys.ts';
import type { Manifest } from '../../src/snapshots/manifest.ts';
import { writeManifest } from '../../src/snapshots/manifest-codec.ts';
import { addMark } from '../../src/snapshots/marks.ts';
import { releaseSnapshot } from '../../src/snapshots/release-snapshot.ts';
import { writeRun } from '../../src/snapshots/runs.ts';
import { openMemoryRepository } from '../repositories/memory-repository.ts';
import { testFolder } from '../test-context.ts';
import { aManifest, idAt, inventoryOf, storeSnapshot, takeLease, testRunner } from './fixtures.ts';
import { aRun } from './run-fixture.ts';

const runner = testRunner();
const ids = [1, 2, 3].map((day) => idAt(`2026-11-0${day}T02:00:00Z`));
const [first = '', second = ''] = ids;
const withMore = (manifest: Manifest): Manifest => ({
  ...manifest,
  targets: Object.fromEntries(
    Object.entries(manifest.targets).map(([name, target]) => [
      name,
      {
        ...target,
        references: [{ store: 'c/r', name: 'n', id: 'u' }],
        artifacts: target.artifacts.map((one) => ({
          ...one,
          folder: { key: `${one.key}-files/`, files: 1, bytes: 1 },
        })),
      },
    ]),
  ),
});

interface Cached {
  readonly folder: string;
  readonly repository: Repository;
  readonly catalog: Catalog;
  /** Keys that were read from the repository. */
  readonly reads: string[];
}

async function cached(): Promise<Cached> {
  const plain = openMemoryRepository();
  const reads: string[] = [];
  const repository: Repository = { ...plain, read: (key) => (reads.push(key), plain.read(key)) };
  await initializeRepository(repository, runner);
  const lease = await takeLease(repository, runner);
  for (const id of ids)
    await storeSnapshot(repository, id === second ? withMore(aManifest(id)) : aManifest(id), lease, runner);
  await addMark(
    repository,
    { backup: 'kong', id: first, policy: 'acme', kind: 'verified', data: { deep: true } },
    lease,
    runner,
  );
  await writeRun(repository, aRun(first), {});
  await lease.release();
  const folder = await testFolder();
  reads.length = 0;
  return { folder, repository, catalog: openCatalog(folder), reads };
}

const contents = (reads: readonly string[]): readonly string[] =>
  reads.filter((key) => /^(manifests|marks|runs)\//.test(key));
const filesIn = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

test('what was read once is not read again, and is the same', async () => {
  const { repository, catalog, reads } = await cached();
  const bare = await inventoryOf(repository, runner);
  const cold = await inventoryOf(repository, runner, { catalog });
  reads.length = 0;
  const warm = await inventoryOf(repository, runner, { catalog });
  expect(contents(reads)).toEqual([]);
  expect(cold).toEqual(bare);
  expect(warm).toEqual(bare);
});

test('only what is new is read, and what is gone is forgotten', async () => {
  const { repository, catalog, reads } = await cached();
  await inventoryOf(repository, runner, { catalog });
  const lease = await takeLease(repository, runner);
  const id = idAt('2026-11-09T02:00:00Z');
  await storeSnapshot(repository, aManifest(id), lease, runner);
  await releaseSnapshot(repository, { backup: 'kong', id: first, policyNames: ['acme'], reason: 'x' }, lease, runner);
  await writeRun(repository, aRun(first, { outcome: 'failed' }), {});
  await lease.release();
  reads.length = 0;
  const warm = await inventoryOf(repository, runner, { catalog });
  expect(contents(reads)).toEqual([
    manifestKey('kong', id),
    expect.stringMatching(/^marks\/kong\/.*-released\.json$/),
    `runs/kong/${first}.json`,
  ]);
  expect(warm).toEqual(await inventoryOf(repository, runner));
  expect(warm.runs).toMatchObject([{ outcome: 'failed' }]);
});

test('a manifest that is not what it was is drift, every time it is looked at', async () => {
  const { repository, catalog } = await cached();
  await inventoryOf(repository, runner, { catalog });
  await repository.put(
    manifestKey('kong', first),
    writeManifest(aManifest(first, { policyFiles: { 'bkp.yaml': 'other' } })),
  );
  for (let look = 0; look < 3; look++) {
    const { snapshots, unreadable } = await inventoryOf(repository, runner, { catalog });
    expect(snapshots.map(({ id }) => id)).toEqual(ids.slice(1));
    expect(unreadable).toMatchObject([{ id: first, reason: 'changed' }]);
  }
});

test('a manifest that was written again with the same bytes is no drift', async () => {
  const { repository, catalog, reads } = await cached();
  await inventoryOf(repository, runner, { catalog });
  await repository.put(manifestKey('kong', first), writeManifest(aManifest(first)));
  expect((await inventoryOf(repository, runner, { catalog })).snapshots).toHaveLength(3);
  reads.length = 0;
  expect((await inventoryOf(repository, runner, { catalog })).unreadable).toEqual([]);
  expect(contents(reads)).toEqual([]);
});

describe('is rebuilt', () => {
  test.each<[string, (path: string) => void]>([
    ['deleted', (path) => rmSync(path)],
    ['empty', (path) => writeFileSync(path, '')],
    ['cut', (path) => writeFileSync(path, readFileSync(path).subarray(0, 200))],
    [
      'changed in one byte',
      (path) => writeFileSync(path, Buffer.from(readFileSync(path, 'latin1').replace('created', 'creaked'), 'latin1')),
    ],
    ['other JSON', (path) => writeFileSync(path, '00000000\n{}')],
    ['JSON with a right checksum that does not fit', (path) => writeFileSync(path, 'a3a6bf43\n{}')],
  ])('when its files are %s', async (_, damage) => {
    const { repository, catalog, folder } = await cached();
    await inventoryOf(repository, runner, { catalog });
    expect(filesIn(folder)).toHaveLength(1);
    for (const path of filesIn(folder)) damage(path);
    expect(await inventoryOf(repository, runner, { catalog })).toEqual(await inventoryOf(repository, runner));
    expect(await inventoryOf(repository, runner, { catalog })).toEqual(await inventoryOf(repository, runner));
  });

  test('when its folder vanishes under it', async () => {
    const { repository, catalog, folder } = await cached();
    await inventoryOf(repository, runner, { catalog });
    rmSync(folder, { recursive: true });
    expect((await inventoryOf(repository, runner, { catalog })).snapshots).toHaveLength(3);
  });
});

test('a place where nothing can be written is no error', async () => {
  const { repository, folder } = await cached();
  writeFileSync(join(folder, 'file'), '');
  const catalog = openCatalog(join(folder, 'file', 'below'));
  expect((await inventoryOf(repository, runner, { catalog })).snapshots).toHaveLength(3);
  expect(catalog.rememberedId(repository.location)).toBeUndefined();
});

test('many that write it at once leave it whole', async () => {
  const { repository, folder } = await cached();
  const looks = Array.from({ length: 8 }, () => inventoryOf(repository, runner, { catalog: openCatalog(folder) }));
  const expected = await inventoryOf(repository, runner);
  for (const look of await Promise.all(looks)) expect(look).toEqual(expected);
  expect(filesIn(folder)).toHaveLength(1);
  expect(await inventoryOf(repository, runner, { catalog: openCatalog(folder) })).toEqual(expected);
});

test('it remembers which repository was at a place', async () => {
  const { catalog } = await cached();
  const place = '/var/backups/bkp';
  expect(catalog.rememberedId(place)).toBeUndefined();
  catalog.rememberId(place, 'one');
  expect(catalog.rememberedId(place)).toBe('one');
  catalog.rememberId(place, 'two');
  expect(catalog.rememberedId(place)).toBe('two');
  expect(catalog.rememberedId('/var/backups')).toBeUndefined();
});

test('it keeps two repositories apart', async () => {
  const { repository, catalog } = await cached();
  const { repositoryId } = await inventoryOf(repository, runner, { catalog });
  expect(catalog.load('another-repository', 'kong')).toBeUndefined();
  expect(catalog.load(repositoryId, 'kong')?.manifests.size).toBe(3);
});
