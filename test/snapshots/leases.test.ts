import { describe, expect, onTestFinished, test } from 'vitest';
import type { Repository } from '../../src/repositories/repository.ts';
import type { Lease } from '../../src/snapshots/held-lease.ts';
import { leaseKey } from '../../src/snapshots/keys.ts';
import { writeLease, type LeaseDocument } from '../../src/snapshots/lease-document.ts';
import { describeLeases } from '../../src/snapshots/describe-leases.ts';
import { breakLease, isLeaseOver } from '../../src/snapshots/leases.ts';
import { newMemoryStore, openMemoryRepository } from '../repositories/memory-repository.ts';
import { takeLease, testClock, testHost, testRunner, type TestRunner } from './fixtures.ts';

const other = (): TestRunner => testRunner({ host: testHost({ name: 'runner-2', pid: 200 }), clock: testClock() });
const numbersIn = async (repository: Repository): Promise<readonly string[]> => repository.list('locks/', 'deep');

/** Moves a runner's monotonic clock at every look, so that waiting takes no time. */
function hurrying(runner: TestRunner, stepMs: number): TestRunner {
  const { clock } = runner;
  return { ...runner, clock: { ...clock, monotonicMs: () => (clock.monotonic += stepMs) } };
}

test('a free lease is taken, and its numbers only grow', async () => {
  const repository = openMemoryRepository();
  for (let number = 1; number <= 5; number++) {
    const lease = await takeLease(repository, testRunner());
    expect(lease.number).toBe(number);
    await lease.assertHeld();
    await lease.release();
    await lease.release();
    await expect(lease.assertHeld()).rejects.toMatchObject({ code: 'lock' });
  }
  expect(await numbersIn(repository)).toEqual(['locks/kong.4.json', 'locks/kong.5.json']);
});

test('leases of two backups do not meet', async () => {
  const repository = openMemoryRepository();
  const kong = await takeLease(repository, testRunner());
  const kongFiles = await takeLease(repository, testRunner(), { backup: 'kong-files' });
  expect([kong.number, kongFiles.number]).toEqual([1, 1]);
  await kong.assertHeld();
  await kongFiles.assertHeld();
});

test('who does not get it is told who has it, since when and what for', async () => {
  const repository = openMemoryRepository();
  await takeLease(repository, testRunner(), { purpose: 'destroy' });
  await expect(takeLease(repository, other())).rejects.toMatchObject({
    code: 'lock',
    exitCode: 3,
    message: 'cannot obtain the lease of kong: destroy by process 100 on runner-1 since 2026-11-19T02:00:00.000Z',
    hint: expect.stringContaining('bkp unlock kong'),
  });
});

test('a waiter says once that it waits, and gets the lease when it is released', async () => {
  const repository = openMemoryRepository();
  const first = await takeLease(repository, testRunner());
  const waiting = other();
  const second = takeLease(repository, waiting, { waitMs: 60_000 });
  await expect.poll(() => waiting.events.length).toBe(1);
  await first.release();
  expect((await second).number).toBe(2);
  expect(waiting.events).toEqual([{ type: 'waiting', message: expect.stringContaining('process 100 on runner-1') }]);
});

test('a holder that renews is waited for however long it takes', async () => {
  const store = newMemoryStore();
  const repository = openMemoryRepository(store);
  const lease = await takeLease(repository, testRunner(), { leaseMs: 3 });
  onTestFinished(() => lease.release());
  const renewals = store.writes;
  await expect.poll(() => store.writes).toBeGreaterThan(renewals + 3);
  // Each look of the waiter takes half a lease time; the holder renews between any two.
  let before = store.writes;
  const watching: Repository = {
    ...repository,
    list: async (prefix, depth) => {
      await expect.poll(() => store.writes).toBeGreaterThan(before);
      before = store.writes;
      return repository.list(prefix, depth);
    },
  };
  await expect(takeLease(watching, hurrying(other(), 2), { leaseMs: 3, waitMs: 60 })).rejects.toMatchObject({
    code: 'lock',
  });
  await lease.assertHeld();
});

test('a silent holder loses the lease after a whole lease time, and learns it before it does harm', async () => {
  const repository = openMemoryRepository();
  const holder = testRunner();
  const lost = await takeLease(repository, holder);
  const taker = hurrying(other(), 30_000);
  const lease = await takeLease(repository, taker, { waitMs: 600_000 });
  expect(lease.number).toBe(2);
  expect(taker.clock.monotonicMs()).toBeGreaterThanOrEqual(60_000);
  await expect(lost.assertHeld()).rejects.toMatchObject({
    code: 'lock',
    message: expect.stringContaining('took over'),
  });
  expect(lost.lost.aborted).toBe(true);
  await lost.release();
  await lease.assertHeld();
});

test('a renewal that finds a successor stops and tells', async () => {
  const repository = openMemoryRepository();
  const lease = await takeLease(repository, testRunner(), { leaseMs: 30 });
  await breakLease(repository, { backup: 'kong', policy: 'acme', run: 'unlock' }, other());
  await expect.poll(() => lease.lost.aborted).toBe(true);
  expect(lease.lost.reason).toMatchObject({ code: 'lock' });
  expect((await describeLeases(repository)).held).toEqual([]);
});

test('the wall clock does not matter', async () => {
  const repository = openMemoryRepository();
  await takeLease(repository, testRunner({ clock: testClock('2026-11-19T05:00:00Z') }));
  const early = testRunner({ clock: testClock('2020-01-01T00:00:00Z'), host: testHost({ name: 'runner-2' }) });
  const late = testRunner({ clock: testClock('2099-01-01T00:00:00Z'), host: testHost({ name: 'runner-3' }) });
  await expect(takeLease(repository, early)).rejects.toMatchObject({ code: 'lock' });
  await expect(takeLease(repository, late)).rejects.toMatchObject({ code: 'lock' });
});

describe('the owner', () => {
  const dead = (parts = {}): TestRunner =>
    testRunner({ host: testHost({ pid: 300, isAlive: (pid) => pid !== 100, ...parts }) });

  test('that is a dead process of this host and boot is not waited for', async () => {
    const repository = openMemoryRepository();
    await takeLease(repository, testRunner());
    expect((await takeLease(repository, dead())).number).toBe(2);
  });

  test.each([
    ['of another host', { name: 'runner-2' }],
    ['of another boot', { bootId: 'boot-2' }],
    ['of an unknown boot', { bootId: '' }],
    ['that lives', { isAlive: () => true }],
  ])('%s is waited for', async (_, parts) => {
    const repository = openMemoryRepository();
    await takeLease(repository, testRunner(), {});
    await expect(takeLease(repository, dead(parts))).rejects.toMatchObject({ code: 'lock' });
  });

  test('of a lease that cannot be read is waited for a whole lease time', async () => {
    const repository = openMemoryRepository();
    await repository.create('locks/kong.7.json', Buffer.from('{'));
    await expect(takeLease(repository, other())).rejects.toThrow(/cannot be read/);
    expect((await takeLease(repository, hurrying(other(), 30_000), { waitMs: 600_000 })).number).toBe(8);
  });
});

test('of many that want a free lease exactly one gets it', async () => {
  for (let round = 0; round < 20; round++) {
    const repository = openMemoryRepository();
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => takeLease(repository, other())));
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
  }
});

test('a waiter that slept while others came and went does not take an old number', async () => {
  const repository = openMemoryRepository();
  let last: Lease | undefined;
  const sleepy: Repository = {
    ...repository,
    create: async (key, content) => {
      if (last === undefined) {
        for (let turn = 0; turn < 4; turn++) {
          await last?.release();
          last = await takeLease(repository, testRunner());
        }
      }
      return repository.create(key, content);
    },
  };
  await expect(takeLease(sleepy, other())).rejects.toMatchObject({ code: 'lock' });
  expect(last?.number).toBe(4);
  await last?.assertHeld();
  expect(await numbersIn(repository)).toEqual(['locks/kong.3.json', 'locks/kong.4.json']);
});

test('waiting ends at once on an abort', async () => {
  const repository = openMemoryRepository();
  await takeLease(repository, testRunner());
  const stopping = new AbortController();
  const waiting = testRunner({ signal: stopping.signal });
  const attempt = takeLease(repository, waiting, { waitMs: 600_000, pollMs: 600_000 });
  await expect.poll(() => waiting.events.length).toBe(1);
  stopping.abort();
  await expect(attempt).rejects.toMatchObject({ code: 'interrupted' });
});

test('unlock ends a lease for good and says whose it was', async () => {
  const repository = openMemoryRepository();
  const request = { backup: 'kong', policy: 'acme', run: 'unlock' };
  expect(await breakLease(repository, request, other())).toBeUndefined();
  const lease = await takeLease(repository, testRunner());
  expect((await describeLeases(repository)).held).toMatchObject([{ backup: 'kong', number: 1, owner: { pid: 100 } }]);
  expect(await isLeaseOver(repository, lease, testHost())).toBe(false);
  expect(await breakLease(repository, request, other())).toMatchObject({ number: 1, owner: { host: 'runner-1' } });
  expect(await isLeaseOver(repository, lease, testHost())).toBe(true);
  await expect(lease.assertHeld()).rejects.toMatchObject({ code: 'lock' });
  expect((await takeLease(repository, other())).number).toBe(3);
  expect(await breakLease(repository, request, other())).toMatchObject({ number: 3 });
  expect(await breakLease(repository, request, other())).toBeUndefined();
});

test('a lease under a wrong name is not believed', async () => {
  const repository = openMemoryRepository();
  const lease = await takeLease(repository, testRunner());
  const bytes = await repository.read(leaseKey('kong', 1));
  const document = JSON.parse(bytes.toString()) as LeaseDocument;
  await lease.release();
  await repository.create(leaseKey('kong', 9), writeLease({ ...document, state: 'released' }));
  await expect(takeLease(repository, other())).rejects.toThrow(/cannot be read/);
});

test('an answer that is longer under way than a lease does not make a holder silent', async () => {
  const repository = openMemoryRepository();
  const lease = await takeLease(repository, testRunner());
  const waiter = other();
  let looks = 0;
  const slow: Repository = {
    ...repository,
    read: async (key) => {
      const bytes = await repository.read(key);
      looks += 1;
      // The holder renews while the answer to the second look is under way.
      const document = JSON.parse(bytes.toString()) as LeaseDocument;
      if (looks > 1) await repository.put(key, writeLease({ ...document, renewals: looks }));
      waiter.clock.monotonic += looks > 1 ? 61_000 : 1;
      return bytes;
    },
  };
  await expect(takeLease(slow, waiter, { waitMs: 200_000 })).rejects.toMatchObject({ code: 'lock' });
  await lease.assertHeld();
});

test('a create whose answer was lost is one that was made', async () => {
  const repository = openMemoryRepository();
  const deaf: Repository = {
    ...repository,
    create: async (key, content) => !(await repository.create(key, content)),
  };
  expect((await takeLease(deaf, other())).number).toBe(1);
});

test('where a store makes no key twice, numbers that were removed by hand are passed over', async () => {
  const repository = openMemoryRepository();
  const refusing: Repository = {
    ...repository,
    create: async (key, content) => key !== leaseKey('kong', 1) && repository.create(key, content),
  };
  expect((await takeLease(refusing, other())).number).toBe(2);
});
