import { expect, test } from 'vitest';
import { applyPlan } from '../../src/reconcile/apply.ts';
import { planPolicy } from '../../src/reconcile/plan-policy.ts';
import type { Session } from '../../src/reconcile/session.ts';
import type { Plan } from '../../src/reconcile/step.ts';
import type { ApplyResult } from '../../src/reconcile/step-result.ts';
import { withStoreTime } from '../../src/reconcile/store-time.ts';
import { repositoryError } from '../../src/errors.ts';
import { withTestSession } from './edge.ts';
import { goodIn, outlineOf } from './look.ts';
import { newWorld, policyText, type World } from './world.ts';

const MINUTE = 60_000;
const SIX_HOURS = 6 * 60 * MINUTE;

/** A machine whose clock is off, with a cold cache, and a store that knows the time: four minutes after a tick. */
async function onMachine<T>(
  world: World,
  offMs: number,
  work: (session: Session) => Promise<T>,
  now: () => Promise<Date | undefined> = async () => storeTime(),
): Promise<T> {
  const ahead = storeTime().getTime() - Date.now();
  const edge = { policy: world.policy, cacheDir: world.path(`cache-${offMs}`), clockOffsetMs: ahead + offMs };
  return withTestSession(edge, async (session) => {
    const repositories = session.repositories.map((opened) =>
      opened.repository === null ? opened : { ...opened, repository: { ...opened.repository, now } },
    );
    return work(await withStoreTime({ ...session, repositories }));
  });
}

const started = Date.now();
const storeTime = (): Date =>
  new Date(Math.ceil(started / SIX_HOURS) * SIX_HOURS + 4 * MINUTE + (Date.now() - started));

const planOn = (world: World, offMs: number): Promise<Plan> =>
  onMachine(world, offMs, (session) => planPolicy(session, {}));

const applyOn = (world: World, offMs: number): Promise<ApplyResult> =>
  onMachine(world, offMs, async (session) =>
    applyPlan(session, await planPolicy(session, {}), {
      planning: {},
      failFast: false,
      lockTimeoutMs: 30_000,
      command: 'apply',
    }),
  );

const BACKUP = 'schedule: { every: 6h }\nretention: { keepLast: 3 }';

async function worldWithRepositories(): Promise<World> {
  const world = newWorld(policyText(BACKUP, '[nas]'));
  for (const name of ['nas', 'off']) expect((await world.bkp('init', '--repository', name)).code).toBe(0);
  return world;
}

test('machines ten minutes ahead and behind plan the same by the time of the store, and are warned', async () => {
  const world = await worldWithRepositories();
  // Due by the time of the store and by the clock ahead, not yet by the one behind.
  const [ahead, behind] = [await planOn(world, 10 * MINUTE), await planOn(world, -10 * MINUTE)];
  const timeless = ({ steps, keep, withheld, summary, errors }: Plan) => {
    const text = JSON.stringify({ steps, keep, withheld, summary, errors });
    return text.replaceAll(/\d+[smh] (?=ago|late|old)|"lateSeconds":\d+/g, '');
  };
  expect(timeless(ahead)).toBe(timeless(behind));
  expect(ahead.warnings.map(({ message }) => message)).toEqual([
    'the clock of this machine is 10m ahead of that of nas; the time of nas is used',
  ]);
  expect(behind.warnings[0]?.message).toMatch(/^the clock of this machine is (10m|9m) behind that of nas/);
});

test('the one behind captures the tick that the other one misses, once', async () => {
  const world = await worldWithRepositories();
  expect(outlineOf(await planOn(world, -10 * MINUTE))).toEqual(outlineOf(await planOn(world, 10 * MINUTE)));
  expect((await applyOn(world, -10 * MINUTE)).exitCode).toBe(0);
  for (const off of [-10, 0, 10]) expect(outlineOf(await planOn(world, off * MINUTE))).toEqual([]);
  const [name = ''] = await goodIn(world);
  const id = name.split('@')[1] ?? '';
  const tick = new Date(storeTime().getTime() - (storeTime().getTime() % SIX_HOURS)).toISOString();
  expect(world.json(`nas/manifests/app/${id}.json`)).toMatchObject({ tick });
});

test('a store that does not tell the time leaves the machine its own, without a word', async () => {
  const world = await worldWithRepositories();
  for (const now of [async () => undefined, async () => Promise.reject(repositoryError('cannot ask: no answer'))]) {
    const made = await onMachine(world, 10 * MINUTE, (session) => planPolicy(session, {}), now);
    expect(made.warnings).toEqual([]);
    expect(Math.abs(Date.parse(made.generatedAt) - storeTime().getTime() - 10 * MINUTE)).toBeLessThan(MINUTE);
  }
});
