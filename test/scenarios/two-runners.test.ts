import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { eachLimited } from '../../src/each-limited.ts';
import { applyTo, deepDamage, goodIn, leftovers, outlineOf, planOf } from './look.ts';
import type { Outcome } from './orders.ts';
import { copyWorld, ended, newWorld, policyText, removeTree, type World } from './world.ts';

const SLOW = 'hooks:\n  before: [ { run: [sh, -c, "echo x > started; while [ ! -e go ]; do sleep 0.05; done"] } ]';

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await setTimeout(20);
}

test('of two applies at once one works and the other exits 3 at its lock timeout, naming the holder', async () => {
  const world = newWorld(policyText(SLOW));
  expect((await world.bkp('init', '--repository', 'nas')).code).toBe(0);
  expect((await world.bkp('init', '--repository', 'off')).code).toBe(0);
  const first = world.startBkp('apply', '--yes');
  const firstEnd = ended(first);
  await until(() => world.files('.').includes('started'));
  const second = await world.bkp('apply', '--yes', '--lock-timeout', '1s');
  expect(second.code).toBe(3);
  expect(second.err).toContain(`process ${first.pid}`);
  expect(second.err).toContain('--lock-timeout');
  world.write('go', '');
  expect((await firstEnd).code).toBe(0);
  expect(await goodIn(world)).toHaveLength(2);
});

test('a runner that waits for the lease finds the tick captured and captures nothing', async () => {
  const world = newWorld(policyText(`schedule: "@daily"\n${SLOW}`));
  expect((await world.bkp('init', '--repository', 'nas')).code).toBe(0);
  expect((await world.bkp('init', '--repository', 'off')).code).toBe(0);
  const runners = [1, 2, 3].map(() => ended(world.startRunner({ command: 'apply', leaseMs: 5_000 })));
  await until(() => world.files('.').includes('started'));
  await setTimeout(1_500);
  world.write('go', '');
  const outcomes = (await Promise.all(runners)).map(({ out }) => JSON.parse(out) as Outcome);
  expect(outcomes.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0]);
  const created = outcomes
    .flatMap(({ steps }) => steps)
    .filter(({ action, outcome }) => action === 'create' && outcome === 'done');
  expect(created).toHaveLength(1);
  expect((await goodIn(world)).toSorted()).toHaveLength(2);
  expect(outlineOf(await planOf(world))).toEqual([]);
});

const stateOf = (pid: number): string =>
  readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .charAt(0);

/** Stops a runner before a step, lets another one work past its lease, and wakes it up again. */
async function pauseAndOvertake(template: World, atStep: number, before: readonly string[]): Promise<void> {
  const world = copyWorld(template);
  onTestFinished(() => removeTree(world.folder));
  const leaseMs = 600;
  const paused = world.startRunner({ command: 'apply', requested: ['app'], leaseMs, atStep, signal: 'SIGSTOP' });
  const end = ended(paused);
  onTestFinished(() => void paused.kill('SIGKILL'));
  await until(() => paused.exitCode !== null || stateOf(paused.pid ?? 0) === 'T');
  const other = await world.runner({ command: 'apply', requested: ['app'], leaseMs, lockTimeoutMs: 20_000 });
  expect(other.outcome, other.said.err).toMatchObject({ exitCode: 0 });
  const afterOther = await goodIn(world);
  paused.kill('SIGCONT');
  const said = await end;
  const outcome = JSON.parse(said.out) as Outcome;
  const step = `step ${atStep}: ${said.out} ${said.err}`;
  const lost = outcome.steps.filter(({ outcome: how }) => how === 'failed').map(({ message }) => message ?? '');
  const told = [...lost, outcome.error?.message ?? ''].filter((message) => message !== '');
  expect(outcome.exitCode, step).not.toBe(0);
  expect(told.join('\n'), step).toContain('another runner took over');

  const good = await goodIn(world);
  // What the other one left good is good, and what it let go stays away.
  expect(good, step).toEqual(expect.arrayContaining([...afterOther]));
  expect(await deepDamage(world, before), step).toEqual([]);
  expect((await applyTo(world, { requested: ['app'] })).exitCode, step).toBe(0);
  expect(outlineOf(await planOf(world)), step).toEqual([]);
  for (const repository of ['nas', 'off']) expect(leftovers(world, repository), step).toEqual([]);
  removeTree(world.folder);
}

test('a runner stopped past its lease loses nothing, prunes nothing wrongly, and stops at its next look', async () => {
  const template = newWorld(policyText('retention: { keepLast: 2 }\nverify: { every: 7d }'));
  expect((await template.bkp('apply', '--yes', '--init-repositories')).code).toBe(0);
  expect((await template.bkp('backup', 'app')).code).toBe(0);
  const before = await goodIn(template);
  const whole = copyWorld(template);
  onTestFinished(() => removeTree(whole.folder));
  const { outcome } = await whole.runner({ command: 'apply', requested: ['app'] });
  const last = outcome?.fileSteps ?? 0;
  // Not as late as the record of the run and the release of its leases: nothing can go wrong there any more.
  const steps = Array.from({ length: 8 }, (_, index) => 20 + Math.floor((index * (last - 50)) / 7));
  await eachLimited(steps, 3, (step) => pauseAndOvertake(template, step, before));
});
