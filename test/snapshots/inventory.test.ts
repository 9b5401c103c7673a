import { describe, expect, test } from 'vitest';
import type { Repository } from '../../src/repositories/repository.ts';
import { initializeRepository } from '../../src/snapshots/identity.ts';
import { beginKey, manifestKey, markKey, snapshotFolder } from '../../src/snapshots/keys.ts';
import { addMark } from '../../src/snapshots/marks.ts';
import { releaseSnapshot } from '../../src/snapshots/release-snapshot.ts';
import { cleanRemains } from '../../src/snapshots/remove-remains.ts';
import { beginSnapshot } from '../../src/snapshots/snapshot-draft.ts';
import { isGood } from '../../src/snapshots/standing.ts';
import { openMemoryRepository } from '../repositories/memory-repository.ts';
import { aManifest, idAt, inventoryOf, keysOf, storeSnapshot, takeLease, testHost, testRunner } from './fixtures.ts';

const runner = testRunner();
const ids = ['2026-11-17', '2026-11-18', '2026-11-19'].map((day) => idAt(`${day}T02:00:00Z`));
const [first = '', second = '', third = ''] = ids;

async function stored(...which: readonly string[]): Promise<Repository> {
  const repository = openMemoryRepository();
  await initializeRepository(repository, runner);
  const lease = await takeLease(repository, runner);
  for (const id of which) await storeSnapshot(repository, aManifest(id), lease, runner);
  await lease.release();
  return repository;
}

test('an empty repository is empty', async () => {
  expect(await inventoryOf(openMemoryRepository(), runner)).toEqual({
    repositoryId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    snapshots: [],
    remains: [],
    unreadable: [],
    gone: [],
    ignoredMarks: [],
    foreign: [],
    runs: [],
    leases: [],
  });
});

test('snapshots come with their marks, sorted by time', async () => {
  const repository = await stored(second, first);
  const mark = { backup: 'kong', id: first, policy: 'acme' };
  await addMark(repository, { ...mark, kind: 'verified', data: { deep: true } }, null, runner);
  await addMark(repository, { ...mark, kind: 'protected', data: { reason: 'audit' } }, null, runner);
  const { snapshots, gone } = await inventoryOf(repository, runner);
  expect(snapshots.map(({ id }) => id)).toEqual([first, second]);
  expect(snapshots[0]).toMatchObject({
    targets: { db: 'captured' },
    folderPresent: true,
    marks: [
      { kind: 'verified', data: { deep: true } },
      { kind: 'protected', data: { reason: 'audit' } },
    ],
  });
  expect(snapshots.every(isGood)).toBe(true);
  expect(gone).toEqual([]);
});

describe('remains', () => {
  test('of a run that is at work are in progress', async () => {
    const repository = await stored(first);
    const lease = await takeLease(repository, runner);
    const draft = await beginSnapshot(repository, { backup: 'kong', id: second, policy: 'acme' }, lease, runner);
    await draft.addKey('db.db');
    const { remains, snapshots, leases } = await inventoryOf(repository, runner);
    expect(remains).toEqual([
      {
        backup: 'kong',
        id: second,
        kind: 'begun',
        policy: 'acme',
        keys: [`${snapshotFolder('kong', second)}db.db`],
        inProgress: true,
      },
    ]);
    expect(snapshots.map(({ id }) => id)).toEqual([first]);
    expect(leases).toMatchObject([{ backup: 'kong', number: lease.number, owner: { run: lease.owner.run } }]);
    const dead = testRunner({ host: testHost({ pid: 101, isAlive: () => false }) });
    expect((await inventoryOf(repository, dead)).remains).toMatchObject([{ inProgress: false }]);
    expect((await inventoryOf(repository, runner, { leaseOver: () => true })).remains).toMatchObject([
      { inProgress: false },
    ]);
    await lease.release();
    expect((await inventoryOf(repository, runner)).remains).toMatchObject([{ inProgress: false }]);
  });

  test('of a run before the one that is at work are not in progress', async () => {
    const repository = await stored(first);
    const died = await takeLease(repository, runner);
    await beginSnapshot(repository, { backup: 'kong', id: second, policy: 'acme' }, died, runner);
    await died.release();
    await takeLease(repository, runner);
    expect((await inventoryOf(repository, runner)).remains).toMatchObject([{ id: second, inProgress: false }]);
  });

  test('of a removal that was cut short are known by their mark', async () => {
    const repository = await stored(first, second);
    const lease = await takeLease(repository, runner);
    await releaseSnapshot(repository, { backup: 'kong', id: first, policyNames: ['acme'], reason: 'x' }, lease, runner);
    await repository.put(`${snapshotFolder('kong', first)}db.db`, Buffer.from('content'));
    expect((await inventoryOf(repository, runner)).remains).toMatchObject([
      { id: first, kind: 'released', policy: 'acme', inProgress: true },
    ]);
    await lease.release();
    expect((await inventoryOf(repository, runner)).remains).toMatchObject([
      { id: first, kind: 'released', inProgress: false },
    ]);
  });

  test('without any list of their files are unknown', async () => {
    const repository = await stored(first);
    await repository.put(`${snapshotFolder('kong', second)}db.db`, Buffer.from('x'));
    await repository.put(beginKey('kong', third), Buffer.from('{"formatVersion": 99}'));
    const { remains } = await inventoryOf(repository, runner);
    expect(remains).toMatchObject([
      { id: second, kind: 'unknown', policy: null, keys: [] },
      { id: third, kind: 'unknown', policy: null, keys: [] },
    ]);
  });

  test('of another policy are not shown', async () => {
    const repository = await stored(first);
    const lease = await takeLease(repository, runner, { policy: 'other' });
    await beginSnapshot(repository, { backup: 'kong', id: second, policy: 'other' }, lease, runner);
    expect((await inventoryOf(repository, runner)).remains).toEqual([]);
    expect((await inventoryOf(repository, runner, { policyNames: null })).remains).toHaveLength(1);
  });
});

test('a snapshot whose folder is gone is not good', async () => {
  const repository = await stored(first);
  for (const key of await repository.list(snapshotFolder('kong', first), 'deep')) await repository.remove(key);
  const { snapshots } = await inventoryOf(repository, runner);
  expect(snapshots).toMatchObject([{ id: first, folderPresent: false }]);
  expect(snapshots.some(isGood)).toBe(false);
});

test('what is committed while the lists are read is whole or not there at all', async () => {
  const repository = await stored(first);
  const lease = await takeLease(repository, runner);
  for (const [index, moment] of ['snapshots/', 'manifests/', 'marks/', 'runs/'].entries()) {
    const id = idAt('2026-11-20T02:00:00Z', index);
    const racing: Repository = {
      ...repository,
      list: async (prefix, depth) => {
        const keys = await repository.list(prefix, depth);
        if (prefix === moment) await storeSnapshot(repository, aManifest(id), lease, runner);
        return keys;
      },
    };
    const { snapshots, remains } = await inventoryOf(racing, runner);
    expect(remains).toEqual([]);
    expect(snapshots.every(isGood)).toBe(true);
  }
});

test('snapshots of other policies are counted, and all are shown where no policy is asked for', async () => {
  const repository = await stored(first);
  const lease = await takeLease(repository, runner);
  for (const [backup, id] of [
    ['kong', second],
    ['web', first],
    ['web', second],
  ] as const) {
    await storeSnapshot(repository, aManifest(id, { backup, policy: 'other' }), lease, runner);
  }
  const inventory = await inventoryOf(repository, runner);
  expect(inventory.snapshots.map(({ id }) => id)).toEqual([first]);
  expect(inventory.foreign).toEqual([
    { backup: 'kong', policy: 'other', count: 1 },
    { backup: 'web', policy: 'other', count: 2 },
  ]);
  const all = await inventoryOf(repository, runner, { policyNames: null });
  expect(all.snapshots).toHaveLength(4);
  expect(all.foreign).toEqual([]);
});

test('manifests that cannot be used are told apart and leave the others alone', async () => {
  const repository = await stored(first);
  await repository.create(manifestKey('kong', second), Buffer.from('{"formatVersion": 2}'));
  await repository.create(manifestKey('kong', third), Buffer.from('{'));
  await repository.put(`${snapshotFolder('kong', third)}db.db`, Buffer.from('x'));
  const { snapshots, unreadable, remains } = await inventoryOf(repository, runner);
  expect(snapshots.map(({ id }) => id)).toEqual([first]);
  expect(unreadable).toMatchObject([
    { id: second, reason: 'newer-format' },
    { id: third, reason: 'unreadable' },
  ]);
  expect(remains).toEqual([]);
});

test('foreign files are overlooked', async () => {
  const repository = await stored(first);
  for (const key of [
    'readme.txt',
    'manifests/notes',
    'manifests/kong/notes.json',
    'marks/kong/x.json',
    'snapshots/kong/tmp/x',
    'snapshots/loose',
    'locks/x',
    'runs/kong/x.json',
  ]) {
    await repository.put(key, Buffer.from('x'));
  }
  const { snapshots, remains, unreadable, runs } = await inventoryOf(repository, runner);
  expect([snapshots.length, remains.length, unreadable.length, runs.length]).toEqual([1, 0, 0, 0]);
});

test('marks outlive their snapshot', async () => {
  const repository = await stored(first, second);
  const lease = await takeLease(repository, runner);
  await addMark(
    repository,
    { backup: 'kong', id: first, policy: 'acme', kind: 'restored', data: { restore: 'staging' } },
    lease,
    runner,
  );
  await releaseSnapshot(repository, { backup: 'kong', id: first, policyNames: ['acme'], reason: 'x' }, lease, runner);
  const { gone, remains } = await inventoryOf(repository, runner);
  expect(remains).toEqual([]);
  expect(gone).toMatchObject([{ backup: 'kong', id: first, marks: [{ kind: 'restored' }, { kind: 'released' }] }]);
});

describe('a mark that cannot be read', () => {
  test.each(['damaged', 'protected', 'released', 'verified', 'unprotected', 'restored'] as const)(
    '%s counts only when it warns or guards',
    async (kind) => {
      const repository = await stored(first);
      await repository.create(markKey('kong', first, new Date('2026-11-20T02:00:00Z'), kind), Buffer.from('garbage'));
      const { snapshots } = await inventoryOf(repository, runner);
      const cautious = kind === 'damaged' || kind === 'protected' || kind === 'released';
      expect(snapshots[0]?.marks).toEqual(cautious ? [{ kind, at: '2026-11-20T02:00:00.000Z', data: {} }] : []);
    },
  );
});

test('a snapshot whose removal began rests on nothing any more and is not good', async () => {
  const repository = await stored(first, second);
  const lease = await takeLease(repository, runner);
  const data = { keys: keysOf(aManifest(first)), reason: 'x', run: 'died' };
  await addMark(repository, { backup: 'kong', id: first, policy: 'acme', kind: 'released', data }, lease, runner);
  const { snapshots } = await inventoryOf(repository, runner);
  expect(snapshots.filter(isGood).map(({ id }) => id)).toEqual([second]);
});

test('remains that were cleaned do not hinder storing the snapshot again', async () => {
  const repository = await stored(first);
  const died = await takeLease(repository, runner);
  await (await beginSnapshot(repository, { backup: 'kong', id: second, policy: 'acme' }, died, runner)).addKey('db.db');
  await died.release();
  const lease = await takeLease(repository, runner);
  expect(await cleanRemains(repository, { backup: 'kong', id: second, policyNames: ['acme'] }, lease, runner)).toBe(
    true,
  );
  await storeSnapshot(repository, aManifest(second), lease, runner);
  const { snapshots, remains } = await inventoryOf(repository, runner);
  expect(remains).toEqual([]);
  expect(snapshots.filter(isGood).map(({ id }) => id)).toEqual([first, second]);
});
