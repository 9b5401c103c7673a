import { expect, test } from 'vitest';
import { keptUntil } from '../../src/snapshots/begin.ts';
import { initializeRepository } from '../../src/snapshots/identity.ts';
import { beginKey } from '../../src/snapshots/keys.ts';
import { cleanRemains, readBegin } from '../../src/snapshots/remove-remains.ts';
import { makeUploadPlace } from '../../src/snapshots/upload-place.ts';
import { openMemoryRepository } from '../repositories/memory-repository.ts';
import { idAt, inventoryOf, takeLease, testRunner } from './fixtures.ts';

const id = idAt('2026-11-19T02:00:00Z');
const name = { backup: 'kong', id };
const upload = { target: 'db', takenAt: null, expiresAt: '2026-11-19T03:00:00.000Z' };
const request = { ...name, policy: 'acme', key: 'upload/db.dump', upload };
const cleaning = { ...name, policyNames: ['acme'] };

async function makePlace(): Promise<{
  readonly repository: ReturnType<typeof openMemoryRepository>;
  readonly runner: ReturnType<typeof testRunner>;
  readonly key: string;
}> {
  const repository = openMemoryRepository();
  const runner = testRunner();
  await initializeRepository(repository, runner);
  const lease = await takeLease(repository, runner);
  const key = await makeUploadPlace(repository, request, lease, runner);
  await expect(makeUploadPlace(repository, request, lease, runner)).rejects.toThrow('is there already');
  await lease.release();
  return { repository, runner, key };
}

test('a place to upload to is no snapshot, and says until when it is kept', async () => {
  const { repository, runner, key } = await makePlace();
  await repository.put(key, Buffer.from('dump'));
  const { snapshots, remains } = await inventoryOf(repository, runner);
  expect(snapshots).toEqual([]);
  expect(remains).toMatchObject([
    { ...name, kind: 'begun', policy: 'acme', keys: [key], inProgress: false, keptUntil: '2026-11-20T03:00:00.000Z' },
  ]);
  expect(await readBegin(repository, name)).toMatchObject({ upload });
});

test('it is not cleaned before its time, whatever a plan said, and whole after it', async () => {
  const { repository, runner, key } = await makePlace();
  await repository.put(key, Buffer.from('dump'));
  const lease = await takeLease(repository, runner);
  runner.clock.wall = Date.parse(keptUntil(upload)) - 1;
  expect(await cleanRemains(repository, cleaning, lease, runner)).toBe(false);
  expect(await repository.stat(key)).toBeDefined();
  runner.clock.wall += 1;
  expect(await cleanRemains(repository, cleaning, lease, runner)).toBe(true);
  expect(await repository.stat(key)).toBeUndefined();
  expect(await repository.stat(beginKey('kong', id))).toBeUndefined();
  await lease.release();
});

test('it goes at once when what it held was adopted', async () => {
  const { repository, runner, key } = await makePlace();
  await repository.put(key, Buffer.from('dump'));
  const lease = await takeLease(repository, runner);
  expect(await cleanRemains(repository, { ...cleaning, isAdopted: true }, lease, runner)).toBe(true);
  expect(await repository.stat(key)).toBeUndefined();
  await lease.release();
});

test.each(['begin.json', '../other/x', '/x'])('%s cannot be its key', async (key) => {
  const repository = openMemoryRepository();
  const runner = testRunner();
  await initializeRepository(repository, runner);
  const lease = await takeLease(repository, runner);
  await expect(makeUploadPlace(repository, { ...request, key }, lease, runner)).rejects.toThrow();
  expect(await repository.list('snapshots/', 'deep')).toEqual([]);
  await lease.release();
});
