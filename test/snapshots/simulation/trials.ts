import { expect } from 'vitest';
import { IDENTITY_KEY } from '../../../src/snapshots/keys.ts';
import { storeSnapshot, takeLease, testHost, testRunner } from '../fixtures.ts';
import { newMemoryStore, openMemoryRepository, type MemoryStore } from '../../repositories/memory-repository.ts';
import type { Repository } from '../../../src/repositories/repository.ts';
import { beginSnapshot } from '../../../src/snapshots/snapshot-draft.ts';
import type { Trial } from './explore.ts';
import { newWorld, type Machine, type SteppedWorld, type WorldOptions } from './stepped-world.ts';
import { capturing, idOf, LEASE_MS, smallManifest, standing } from './work.ts';

/** The same every time, as everything in a world is. */
const IDENTITY = JSON.stringify({ formatVersion: 1, id: '00000000-model', createdAt: '2026-11-01T00:00:00.000Z' });

/** The snapshot of the day before, which stands when a trial begins. */
export const OLD: string = idOf('2026-11-18T02:00:00.000Z', 0);

export interface TrialOptions extends WorldOptions {
  readonly works: readonly ((machine: Machine) => Promise<void>)[];
  /** How many of the newest snapshots that were ever good must be good at every moment. */
  readonly keepLast: number;
  /** How many snapshots of one tick there may be in the end. */
  readonly perTick: number;
  /** What is called good when it begins. */
  readonly standing: readonly string[];
}

/** Begins a trial in which nothing good may ever be lost, and nothing bad be called good. */
export function beginTrial(options: TrialOptions): Trial {
  const world = newWorld(options);
  const runner = testRunner();
  const everGood = new Set<string>(options.standing);
  const look = async (): Promise<void> => {
    const { good, sure, hollow } = await standing(world.plain, runner);
    expect(hollow, 'called good, but not whole').toEqual([]);
    for (const id of sure) everGood.add(id);
    const kept = [...everGood].toSorted().slice(-options.keepLast);
    expect(good, 'a good snapshot was lost').toEqual(expect.arrayContaining(kept));
    for (const machine of world.machines)
      expect(machine.runner.events.filter(({ type }) => type === 'warning')).toEqual([]);
  };
  options.works.forEach((work, index) => world.start(index, work));
  return {
    world,
    look,
    memory: () => [...everGood].toSorted().join(),
    end: async () => {
      await look();
      const captured = [...everGood].filter((id) => !options.standing.includes(id));
      expect(captured.length, 'snapshots of one tick').toBeLessThanOrEqual(options.perTick);
      await tidyUp(world, options.keepLast);
      await look();
    },
  };
}

/** A runner that comes when all is over finds what it needs, and leaves nothing behind that need not be. */
async function tidyUp(world: SteppedWorld, keepLast: number): Promise<void> {
  const id = idOf('2026-11-19T03:00:00.000Z', 31);
  const patient = testRunner({ host: testHost({ name: 'later', pid: 999 }) });
  patient.clock.wall = Date.parse('2026-11-19T03:00:00.000Z');
  // Whoever still holds a lease is silent by now.
  const clock = { ...patient.clock, monotonicMs: () => (patient.clock.monotonic += LEASE_MS) };
  const machine = {
    runner: { ...patient, clock, timers: { wait: async () => undefined, every: () => () => undefined } },
    repository: world.plain,
    atOnce: (_: string, work: (repository: typeof world.plain) => Promise<never>) => work(world.plain),
  } as unknown as Machine;
  await capturing({ keepLast, pollMs: 1, id })(machine);
  const { good } = await standing(world.plain, patient);
  const ids = new Set((await world.plain.list('snapshots/', 'deep')).map((key) => key.split('/')[2] ?? ''));
  expect([...ids].toSorted(), 'files of nothing that is good').toEqual(good);
}

/** What a repository holds after the given work, which nobody disturbs. */
export async function objectsAfter(work: (repository: Repository) => Promise<void>): Promise<MemoryStore['objects']> {
  const store = newMemoryStore();
  const repository = openMemoryRepository(store);
  await repository.create(IDENTITY_KEY, Buffer.from(IDENTITY));
  await work(repository);
  return store.objects;
}

/** Stores a whole snapshot of the day before. */
export async function storeOld(repository: Repository): Promise<void> {
  const runner = testRunner();
  const lease = await takeLease(repository, runner, { run: 'before' });
  await storeSnapshot(repository, smallManifest(OLD, '2026-11-18T02:00:00.000Z'), lease, runner);
  await lease.release();
}

/** Leaves what a copy left that died before its artifact was there. */
export async function storePart(repository: Repository, id: string): Promise<void> {
  const runner = testRunner();
  const lease = await takeLease(repository, runner, { run: 'died' });
  const draft = await beginSnapshot(repository, { backup: 'kong', id, policy: 'acme' }, lease, runner);
  await draft.addKey('db.db');
  await lease.release();
}
