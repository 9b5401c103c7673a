import { expect, test } from 'vitest';
import { applyPlan } from '../../src/reconcile/apply.ts';
import { planPolicy } from '../../src/reconcile/plan-policy.ts';
import type { Repository } from '../../src/repositories/repository.ts';
import { initializeRepository } from '../../src/snapshots/identity.ts';
import { addMark } from '../../src/snapshots/marks.ts';
import { releaseSnapshot } from '../../src/snapshots/release-snapshot.ts';
import { openMemoryRepository } from '../repositories/memory-repository.ts';
import { idAt, inventoryOf, storeSnapshot, takeLease, testRunner } from '../snapshots/fixtures.ts';
import { placeIn, plannedManifest, PLACES, sessionOn } from '../snapshots/simulation/planned-world.ts';

const TICKS = ['2026-11-18T02:00:00.000Z', '2026-11-19T02:00:00.000Z'] as const;
const [old, young] = [idAt(TICKS[0]), idAt(TICKS[1])];

/** Applies a plan that lets the older of two snapshots go, while something happens after the last reading of all. */
async function applyWhile(happens: (near: Repository) => Promise<void>): Promise<readonly (string | null)[]> {
  const runner = testRunner();
  const store = openMemoryRepository();
  for (const place of PLACES) {
    const repository = placeIn(store, place);
    await initializeRepository(repository, runner);
    const lease = await takeLease(repository, runner);
    for (const tick of TICKS) await storeSnapshot(repository, plannedManifest(idAt(tick), tick), lease, runner);
    await lease.release();
  }
  let isOver = false;
  const session = sessionOn(store, runner, 1, 1);
  const repositories = session.repositories.map(({ name, repository }) => {
    if (repository === null) throw new Error('not open');
    // The record of the run is written after the reading, before the first step.
    const put: Repository['put'] = async (key, content, bytes) => {
      const isRecord = !isOver && key.startsWith('runs/');
      isOver ||= isRecord;
      if (isRecord) await happens(placeIn(store, 'near'));
      return repository.put(key, content, bytes);
    };
    return { name, repository: { ...repository, put } };
  });
  const watched = { ...session, repositories };
  const planning = { only: ['prune'] as const };
  const made = await planPolicy(watched, planning);
  expect(made.steps.map(({ address, snapshot }) => `${address} ${snapshot}`)).toEqual([
    `kong@near ${old}`,
    `kong@far ${old}`,
  ]);
  const options = { planning, failFast: false, lockTimeoutMs: 0, command: 'apply' };
  const { steps } = await applyPlan(watched, made, options);
  expect(isOver).toBe(true);
  const left = await inventoryOf(placeIn(store, 'near'), runner);
  const isLeft = left.snapshots.some(({ id }) => id === old);
  expect(isLeft).toBe(steps[0]?.outcome !== 'done');
  return steps.map(({ message }) => message);
}

test('a snapshot goes where nothing happened to the one that makes it superfluous', async () => {
  expect(await applyWhile(async () => undefined)).toEqual([null, null]);
});

test('a snapshot stays when the one that makes it superfluous turned out damaged meanwhile', async () => {
  const name = { backup: 'kong', id: young, policy: 'acme' };
  const data = { artifacts: ['db.db'], reason: 'cut', deep: false };
  expect(
    await applyWhile(
      async (near) => void (await addMark(near, { ...name, kind: 'damaged', data }, null, testRunner())),
    ),
  ).toEqual([`cannot prune kong@near ${old}: no newer good snapshot stands in near`, null]);
});

test('a snapshot stays when the one that makes it superfluous was let go meanwhile', async () => {
  const held = { assertHeld: async () => undefined, owner: { run: 'other' } };
  const request = { backup: 'kong', id: young, policyNames: ['acme'], reason: 'destroyed by hand' };
  expect(await applyWhile((near) => releaseSnapshot(near, request, held as never, testRunner()))).toEqual([
    `cannot prune kong@near ${old}: no newer good snapshot stands in near`,
    null,
  ]);
});
