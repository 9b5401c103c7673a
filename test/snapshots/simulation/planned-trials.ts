import { expect } from 'vitest';
import { planPolicy } from '../../../src/reconcile/plan-policy.ts';
import type { Repository } from '../../../src/repositories/repository.ts';
import { IDENTITY_KEY } from '../../../src/snapshots/keys.ts';
import { beginSnapshot } from '../../../src/snapshots/snapshot-draft.ts';
import { newMemoryStore, openMemoryRepository, type MemoryStore } from '../../repositories/memory-repository.ts';
import { storeSnapshot, takeLease, testHost, testRunner } from '../fixtures.ts';
import type { Trial } from './explore.ts';
import { applying, placeIn, plannedManifest, PLACES, sessionOn } from './planned-world.ts';
import { newWorld, type Machine, type SteppedWorld, type WorldOptions } from './stepped-world.ts';
import { idOf, LEASE_MS, standing } from './work.ts';

const TICKS = ['2026-11-16T02:00:00.000Z', '2026-11-17T02:00:00.000Z', '2026-11-18T02:00:00.000Z'];
const OLD = TICKS.map((tick) => idOf(tick, 0));
const LATER = '2026-11-19T03:00:00.000Z';

/**
 * Three snapshots near, of which retention lets the oldest go, and the oldest far, where a copy of the second one died; of
 * a capture that died a part is left.
 */
export async function plannedObjects(): Promise<MemoryStore['objects']> {
  const store = newMemoryStore();
  const places = PLACES.map((place) => placeIn(openMemoryRepository(store), place));
  const [near, far] = places;
  if (near === undefined || far === undefined) throw new Error('no places');
  for (const [index, place] of places.entries()) {
    const identity = { formatVersion: 1, id: `0000000${index}-model`, createdAt: '2026-11-01T00:00:00.000Z' };
    await place.create(IDENTITY_KEY, Buffer.from(JSON.stringify(identity)));
  }
  for (const [index, tick] of TICKS.entries()) await whole(near, OLD[index] ?? '', tick);
  await whole(far, OLD[0] ?? '', TICKS[0] ?? '');
  await part(far, OLD[1] ?? '');
  await part(near, idOf('2026-11-18T05:00:00.000Z', 9));
  return store.objects;
}

async function whole(place: Repository, id: string, tick: string): Promise<void> {
  const runner = testRunner();
  const lease = await takeLease(place, runner, { run: 'before' });
  await storeSnapshot(place, plannedManifest(id, tick), lease, runner);
  await lease.release();
}

async function part(place: Repository, id: string): Promise<void> {
  const runner = testRunner();
  const lease = await takeLease(place, runner, { run: 'died' });
  const draft = await beginSnapshot(place, { backup: 'kong', id, policy: 'acme' }, lease, runner);
  await place.put(await draft.addKey('db.db'), Buffer.from('cont'));
  await lease.release();
}

export interface PlannedOptions extends WorldOptions {
  readonly works: readonly ((machine: Machine) => Promise<void>)[];
  readonly keepLast: number;
  /** How many snapshots of one tick there may be in the end. */
  readonly perTick: number;
}

/**
 * Begins a trial in which runners plan, copy, prune and clean. At every moment the newest snapshots that were ever good
 * anywhere stand somewhere, the newest that was ever good in a repository stands there, and nothing that is called good has
 * lost a file.
 */
export function beginPlanned(options: PlannedOptions): Trial {
  const world = newWorld(options);
  const runner = testRunner();
  const everGood = new Map(PLACES.map((place) => [place, new Set<string>()]));
  const look = async (): Promise<void> => {
    const standingGood = new Set<string>();
    for (const [place, ever] of everGood) {
      const { good, sure, hollow } = await standing(placeIn(world.plain, place), runner);
      expect(hollow, `called good in ${place}, but not whole`).toEqual([]);
      for (const id of sure) ever.add(id);
      for (const id of good) standingGood.add(id);
      expect(good, `the newest of ${place} was lost`).toEqual(expect.arrayContaining([...ever].toSorted().slice(-1)));
    }
    expect([...standingGood], 'a good snapshot was lost').toEqual(expect.arrayContaining([...newest()]));
    for (const machine of world.machines) expect(bugsOf(machine)).toEqual([]);
  };
  const ever = (): readonly string[] => [...new Set([...everGood.values()].flatMap((ids) => [...ids]))].toSorted();
  const newest = (): readonly string[] => ever().slice(-options.keepLast);
  options.works.forEach((work, index) => world.start(index, work));
  return {
    world,
    look,
    memory: () => [...everGood.values()].map((ids) => [...ids].toSorted().join()).join(' '),
    end: async () => {
      await look();
      const captured = ever().filter((id) => !OLD.includes(id));
      expect(captured.length, 'snapshots of one tick').toBeLessThanOrEqual(options.perTick);
      await tidyUp(world, options.keepLast);
      await look();
    },
  };
}

const bugsOf = ({ runner }: Machine): readonly unknown[] =>
  runner.events.filter((event) => event.type === 'warning' && event.message.startsWith('bug: '));

/** A runner that comes when all is over makes everything as the policy wants it, and leaves nothing to do. */
async function tidyUp(world: SteppedWorld, keepLast: number): Promise<void> {
  const patient = testRunner({ host: testHost({ name: 'later', pid: 999 }) });
  patient.clock.wall = Date.parse(LATER);
  // Whoever still holds a lease is silent by now.
  const clock = { ...patient.clock, monotonicMs: () => (patient.clock.monotonic += LEASE_MS) };
  const runner = { ...patient, clock, timers: { wait: async () => undefined, every: () => () => undefined } };
  const id = idOf(LATER, 31);
  // What a dead runner was about counts as its work until its lease is taken over; who plans next knows better.
  for (const seed of [28, 30])
    await applying({ id, seed, pollMs: 1, keepLast, tick: LATER })({ repository: world.plain, runner });
  const left = await planPolicy(sessionOn(world.plain, runner, 29, keepLast), {});
  expect(left.steps.map(({ action, address, reason }) => `${action} ${address} ${reason.code}`)).toEqual([]);
  for (const place of PLACES) {
    const view = placeIn(world.plain, place);
    const { good } = await standing(view, patient);
    expect(good.slice(-1)).toEqual([id]);
    expect(good).toHaveLength(keepLast);
    const ids = new Set((await view.list('snapshots/', 'deep')).map((key) => key.split('/')[2] ?? ''));
    expect([...ids].toSorted(), `files of nothing that is good in ${place}`).toEqual(good);
  }
}
