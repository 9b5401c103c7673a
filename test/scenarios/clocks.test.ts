import { expect, test } from 'vitest';
import { applyTo, goodIn, outlineOf, planOf } from './look.ts';
import { newWorld, policyText, type World } from './world.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

async function worldWithRepositories(more: string): Promise<World> {
  const world = newWorld(policyText(more, '[nas]'));
  expect((await world.bkp('init', '--repository', 'nas')).code).toBe(0);
  expect((await world.bkp('init', '--repository', 'off')).code).toBe(0);
  return world;
}

const createdBy = async (world: World, offset: number, asked = false): Promise<number> => {
  const result = await applyTo(world, asked ? { requested: ['app'] } : {}, offset);
  expect(result.exitCode, JSON.stringify(result.steps.map(({ message, flaws }) => [message, flaws]))).toBe(0);
  return result.steps.filter(({ step, outcome }) => step.action === 'create' && outcome === 'done').length;
};

test('two runners whose clocks are an hour apart capture each tick once and plan nothing after each other', async () => {
  const world = await worldWithRepositories(
    'schedule: { every: 6h }\nretention: { keepLast: 3 }\nverify: { every: 7d }',
  );
  for (let tick = 0; tick < 4; tick++) {
    const ahead = tick * 6 * HOUR;
    const captured = (await createdBy(world, ahead + HOUR)) + (await createdBy(world, ahead));
    // The clock of one of them may have passed into the next tick already; no tick is captured twice.
    expect(captured).toBeGreaterThanOrEqual(1);
    expect(captured).toBeLessThanOrEqual(2);
    expect(outlineOf(await planOf(world, {}, ahead + HOUR))).toEqual([]);
    expect(outlineOf(await planOf(world, {}, ahead))).toEqual([]);
  }
  expect((await goodIn(world)).length).toBeGreaterThanOrEqual(3);
});

test('a clock that ran backwards loses nothing: what is captured now is kept beside what came from later', async () => {
  const world = await worldWithRepositories('schedule: "@daily"\nretention: { keepLast: 1 }');
  expect(await createdBy(world, DAY)).toBe(1);
  const [later = ''] = await goodIn(world);
  expect(await createdBy(world, 0, true)).toBe(1);
  expect(outlineOf(await planOf(world))).toEqual([]);
  const both = await goodIn(world);
  expect(both).toHaveLength(2);
  expect(both).toContain(later);
  // Once its time has come, the one from later counts as what it says it is.
  expect(await createdBy(world, 2 * DAY)).toBe(1);
  expect(await goodIn(world)).toHaveLength(1);
});

test('a clock that ran far ahead once does not keep anything from being captured', async () => {
  const world = await worldWithRepositories('schedule: "@daily"\nretention: { keepLast: 2 }');
  expect(await createdBy(world, 400 * DAY)).toBe(1);
  expect(await createdBy(world, 0)).toBe(1);
  expect(await createdBy(world, 0)).toBe(0);
  expect(await createdBy(world, DAY)).toBe(1);
  expect(outlineOf(await planOf(world, {}, DAY))).toEqual([]);
  expect(await goodIn(world)).toHaveLength(3);
});

test('a policy changed while the clock is behind is captured once, not again and again', async () => {
  const world = await worldWithRepositories('retention: { keepLast: 3 }');
  expect(await createdBy(world, HOUR)).toBe(1);
  world.write(
    'bkp.yaml',
    policyText('retention: { keepLast: 3 }', '[nas]').replace('paths: [data/up]', 'paths: [data]'),
  );
  expect(await createdBy(world, 0)).toBe(1);
  expect(outlineOf(await planOf(world))).toEqual([]);
});

test('damage and its repair keep their order on a clock that runs backwards', async () => {
  const world = await worldWithRepositories('retention: { keepLast: 3 }\nverify: { every: 1h }');
  expect(await createdBy(world, DAY)).toBe(1);
  const id = (await goodIn(world))[0]?.split(' ')[1] ?? '';
  // Its marks are a day ahead; what is found now is newer all the same.
  const artifact = `nas/snapshots/${id.replace('@', '/')}/db.db.zst`;
  const whole = world.read(artifact);
  world.write(artifact, 'damaged');
  expect((await world.bkp('verify', id)).code).toBe(1);
  expect(await goodIn(world)).toEqual([]);
  world.write(artifact, whole);
  expect((await world.bkp('verify', id)).code).toBe(0);
  expect(await goodIn(world)).toHaveLength(1);
});
