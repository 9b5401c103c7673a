import { setImmediate, setTimeout } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BkpError } from '../../src/errors.ts';
import type { Repository } from '../../src/repositories/repository.ts';
import { initializeRepository } from '../../src/snapshots/identity.ts';
import { makeId } from '../../src/snapshots/ids.ts';
import { manifestKey, snapshotFolder } from '../../src/snapshots/keys.ts';
import { acquireLease } from '../../src/snapshots/leases.ts';
import { readInventory } from '../../src/snapshots/read-inventory.ts';
import { readSnapshot } from '../../src/snapshots/read-snapshot.ts';
import { releaseSnapshot } from '../../src/snapshots/release-snapshot.ts';
import { cleanRemains } from '../../src/snapshots/remove-remains.ts';
import { isGood } from '../../src/snapshots/standing.ts';
import { newMemoryStore, openMemoryRepository } from '../repositories/memory-repository.ts';
import { aManifest, keysOf, storeSnapshot, testHost, testRunner, type TestRunner } from './fixtures.ts';

/** Lets one repository operation of one runner happen at a time, in an order that the choices give. */
interface Schedule {
  readonly gate: <T>(operation: () => Promise<T>) => Promise<T>;
  /** Runs until all work is done; `after` is called when an operation has happened. */
  readonly drive: (
    work: readonly Promise<unknown>[],
    choose: (count: number) => number,
    after: () => Promise<void>,
  ) => Promise<void>;
}

function schedule(): Schedule {
  const waiting: (() => Promise<void>)[] = [];
  return {
    gate: (operation) =>
      new Promise((resolve, reject) => {
        waiting.push(() => operation().then(resolve, reject));
      }),
    drive: async (work, choose, after) => {
      let isDone = false;
      void Promise.allSettled(work).then(() => (isDone = true));
      for (;;) {
        // Now and then long enough for who waits for a lease to look again.
        if (choose(4) === 0) await setTimeout(2);
        else await setImmediate();
        const [next] = waiting.length === 0 ? [] : waiting.splice(choose(waiting.length), 1);
        if (next === undefined && isDone) return;
        await next?.();
        await after();
      }
    },
  };
}

const gated = (repository: Repository, { gate }: Schedule): Repository => ({
  ...repository,
  put: (key, content) => gate(() => repository.put(key, content)),
  create: (key, content) => gate(() => repository.create(key, content)),
  read: (key) => gate(() => repository.read(key)),
  stat: (key) => gate(() => repository.stat(key)),
  list: (prefix, depth) => gate(() => repository.list(prefix, depth)),
  remove: (key) => gate(() => repository.remove(key)),
});

/** A runner that takes over from a holder that was silent for a few of its looks, since its clock hurries. */
function hastyRunner(pid: number, wall: number, patience: () => number): TestRunner {
  const runner = testRunner({ host: testHost({ pid, name: `runner-${pid}` }) });
  runner.clock.wall = wall;
  const clock = {
    ...runner.clock,
    monotonicMs: () => (runner.clock.monotonic += LEASE_MS / (1 + patience())),
    now: () => new Date((runner.clock.wall += 7)),
  };
  return { ...runner, clock };
}

const LEASE_MS = 600_000;

/** What a run does: clean, perhaps capture, and let one good snapshot go while another good one stands. */
async function run(
  repository: Repository,
  runner: TestRunner,
  name: string,
  choose: (count: number) => number,
): Promise<void> {
  const identity = await initializeRepository(repository, runner);
  const lease = await acquireLease(
    repository,
    { backup: 'kong', policy: 'acme', purpose: 'apply', run: name, waitMs: 1e12, pollMs: 1, leaseMs: LEASE_MS },
    runner,
  );
  try {
    const { remains, snapshots } = await readInventory(repository, { identity, policyNames: ['acme'] }, runner);
    for (const { backup, id } of remains.filter(({ inProgress, kind }) => !inProgress && kind !== 'unknown')) {
      await cleanRemains(repository, { backup, id, policyNames: ['acme'] }, lease, runner);
    }
    const good = snapshots.filter(isGood).map(({ id }) => id);
    if (good.length < 2 || choose(2) === 0) {
      const id = makeId(runner.clock.now(), new Uint8Array([runner.host.pid & 31, name.length, 3, 4, 5, 6]));
      await storeSnapshot(repository, aManifest(id), lease, runner);
      good.push(id);
    }
    const [pruned = ''] = good.splice(choose(good.length), 1);
    const [other] = good.splice(choose(Math.max(1, good.length)), 1);
    if (other === undefined) return;
    const remaining = await readSnapshot(repository, { backup: 'kong', id: other }, {});
    if (remaining?.ok !== true || !isGood(remaining.value.record)) return;
    await releaseSnapshot(
      repository,
      { backup: 'kong', id: pruned, policyNames: ['acme'], reason: 'retention-exceeded' },
      lease,
      runner,
    );
  } finally {
    await lease.release();
  }
}

/** Ids whose manifest and artifacts are all there. */
function intact(keys: ReadonlySet<string>): readonly string[] {
  const ids = [...keys].flatMap((key) => /^manifests\/kong\/(.*)\.json$/.exec(key)?.[1] ?? []);
  return ids.filter((id) => keysOf(aManifest(id)).every((key) => keys.has(snapshotFolder('kong', id) + key)));
}

const ROUNDS = 6;
/** How a run may end that was overtaken, or whose snapshot somebody else let go. */
const EXPECTED = ['lock', 'guard', 'not-found'];

test('in no interleaving of runners that overtake each other is a good snapshot lost or a bad one called good', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(), { minLength: 50, maxLength: 400 }),
      fc.array(fc.integer({ min: -3_600_000, max: 3_600_000 }), { minLength: 3, maxLength: 3 }),
      fc.option(fc.nat(150), { nil: undefined }),
      async (choices, skews, killAfter) => {
        const store = newMemoryStore();
        const plain = openMemoryRepository(store);
        const setUp = testRunner();
        await run(plain, setUp, 'first', () => 0);
        const { gate, drive } = schedule();
        let operations = 0;
        let dead = false;
        // The first of the runners may die: its operations never happen any more.
        const mortal: Schedule = {
          drive,
          gate: (operation) => (dead ? new Promise(() => undefined) : gate(operation)),
        };
        let used = 0;
        const choose = (count: number): number => (choices[used++ % choices.length] ?? 0) % count;
        const work = skews.map(async (skew, index) => {
          const runner = hastyRunner(200 + index, setUp.clock.wall + skew, () => choose(16));
          const repository = gated(plain, index === 0 ? mortal : { gate, drive });
          for (let round = 0; round < ROUNDS; round++) {
            try {
              await run(repository, runner, `run-${index}-${round}`, choose);
            } catch (error) {
              if (!(error instanceof BkpError) || !EXPECTED.includes(error.code)) throw error;
            }
          }
        });
        const finished = work.map((one, index) =>
          index === 0 && killAfter !== undefined ? Promise.race([one, untilTrue(() => dead)]) : one,
        );
        await drive(finished, choose, async () => {
          operations++;
          if (killAfter !== undefined && operations > killAfter) dead = true;
          const keys = new Set(store.objects.keys());
          const whole = intact(keys);
          expect(whole.length).toBeGreaterThan(0);
          for (const key of keys) {
            const id = /^manifests\/kong\/(.*)\.json$/.exec(key)?.[1];
            if (id === undefined || whole.includes(id)) continue;
            const found = await readSnapshot(plain, { backup: 'kong', id }, {});
            expect(found?.ok === true && isGood(found.value.record)).toBe(false);
          }
        });
        await Promise.all(finished);
        expect(store.objects.has(manifestKey('kong', intact(new Set(store.objects.keys()))[0] ?? ''))).toBe(true);
      },
    ),
    { numRuns: 25 },
  );
});

async function untilTrue(condition: () => boolean): Promise<void> {
  while (!condition()) await setImmediate();
}
