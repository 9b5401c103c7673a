import { readFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { eachLimited } from '../../src/each-limited.ts';
import { applyTo, deepDamage, goodIn, leftovers, outlineOf, planOf } from './look.ts';
import type { Orders } from './orders.ts';
import { copyWorld, newWorld, policyText, removeTree, type World } from './world.ts';

const REPOSITORIES = ['nas', 'off'];

/**
 * Two snapshots in both repositories, the next is due and then one is too many, and the remains of a run that died: an
 * apply now captures, copies, verifies, prunes and cleans.
 */
async function worldWithEverythingToDo(): Promise<World> {
  const world = newWorld(policyText('schedule: "@daily"\nretention: { keepLast: 2 }\nverify: { every: 7d }'));
  expect((await world.bkp('apply', '--yes', '--init-repositories')).code).toBe(0);
  expect((await world.bkp('backup', 'app')).code).toBe(0);
  const dead = await world.runner({
    command: 'apply',
    requested: ['app'],
    only: ['create'],
    atStep: 30,
    signal: 'SIGKILL',
  });
  expect(dead.said.signal).toBe('SIGKILL');
  expect(leftovers(world, 'nas').length).toBeGreaterThan(1);
  return world;
}

type Hurt = Omit<Orders, 'policy' | 'cacheDir'>;

const DUE: Hurt = { command: 'apply', requested: ['app'] };

/** Files that must stay as they are: the stored bytes of good snapshots. */
function artifactsOf(world: World, good: readonly string[]): ReadonlyMap<string, Buffer> {
  const files = new Map<string, Buffer>();
  for (const name of good) {
    const [repository = '', snapshot = ''] = name.split(' ');
    const folder = `${repository}/snapshots/${snapshot.replace('@', '/')}`;
    for (const file of world.files(folder)) files.set(`${folder}/${file}`, readFileSync(world.path(folder, file)));
  }
  return files;
}

/** Step numbers from the first to the last, evenly. */
const spread = (last: number, count: number): readonly number[] =>
  Array.from({ length: count }, (_, index) => 1 + Math.floor((index * (last - 1)) / (count - 1)));

async function killAndLook(template: World, orders: Hurt, before: readonly string[], may: RegExp): Promise<void> {
  const world = copyWorld(template);
  onTestFinished(() => removeTree(world.folder));
  const { said } = await world.runner(orders);
  const step = `step ${orders.atStep}`;
  expect(said.signal, `${step} ${said.err}`).toBe('SIGKILL');

  const made = await planOf(world, { requested: ['app'] });
  expect(made.errors, step).toEqual([]);
  for (const line of outlineOf(made)) expect(line, step).toMatch(may);
  const good = await goodIn(world);
  const kept = before.filter((name) => good.includes(name));
  const fresh = artifactsOf(world, kept);
  for (const [file, bytes] of artifactsOf(template, kept))
    expect(fresh.get(file)?.equals(bytes), `${step} ${file}`).toBe(true);
  expect(await deepDamage(world, before), step).toEqual([]);
  for (const repository of REPOSITORIES)
    expect(good.filter((name) => name.startsWith(`${repository} `)).length, step).toBeGreaterThanOrEqual(2);

  const next = await applyTo(world, { requested: ['app'] });
  expect(
    next.steps.filter(({ outcome }) => outcome !== 'done').map(({ message }) => message),
    step,
  ).toEqual([]);
  expect(next.exitCode, step).toBe(0);
  expect(outlineOf(await planOf(world)), step).toEqual([]);
  for (const repository of REPOSITORIES) expect(leftovers(world, repository), step).toEqual([]);
  removeTree(world.folder);
}

test('killed at any moment, an apply loses no snapshot, shows no bad one, and the next one mends the rest', async () => {
  const template = await worldWithEverythingToDo();
  const before = await goodIn(template);
  expect(before).toHaveLength(4);
  const whole = copyWorld(template);
  onTestFinished(() => removeTree(whole.folder));
  const { outcome } = await whole.runner(DUE);
  expect(outcome?.exitCode).toBe(0);
  expect(new Set(outcome?.steps.map(({ action }) => action))).toEqual(
    new Set(['create', 'copy', 'verify', 'prune', 'clean']),
  );
  const may =
    /^(create app@nas requested|copy app@off replica-missing|verify app@\w+ verify-due|prune app@\w+ (retention-exceeded|partial-upload)|clean app@\w+ partial-upload)$/;
  await eachLimited(spread(outcome?.fileSteps ?? 0, 44), 2, (atStep) =>
    killAndLook(template, { ...DUE, atStep, signal: 'SIGKILL' }, before, may),
  );
});

test('killed at any moment, a destroy is finished by the next apply and nothing else is lost', async () => {
  const template = newWorld(policyText('retention: { keepLast: 5 }\nverify: { every: 7d }'));
  expect((await template.bkp('apply', '--yes', '--init-repositories')).code).toBe(0);
  expect((await template.bkp('backup', 'app')).code).toBe(0);
  const before = await goodIn(template);
  const doomed = before.at(-1)?.split(' ')[1] ?? '';
  const destroy: Hurt = { command: 'destroy', snapshot: doomed };
  const whole = copyWorld(template);
  onTestFinished(() => removeTree(whole.folder));
  const { outcome } = await whole.runner(destroy);
  expect(outcome?.error).toBeNull();
  expect(await goodIn(whole)).toEqual(before.filter((name) => !name.endsWith(doomed)));
  await eachLimited(spread(outcome?.fileSteps ?? 0, 16), 2, async (atStep) => {
    const world = copyWorld(template);
    onTestFinished(() => removeTree(world.folder));
    expect((await world.runner({ ...destroy, atStep, signal: 'SIGKILL' })).said.signal).toBe('SIGKILL');
    const good = await goodIn(world);
    const others = before.filter((name) => !name.endsWith(doomed));
    expect(good).toEqual(expect.arrayContaining([...others]));
    expect(await deepDamage(world, others)).toEqual([]);
    const begun = outlineOf(await planOf(world));
    for (const line of begun) expect(line).toMatch(/^(prune|clean) app@\w+ partial-upload$/);
    expect((await applyTo(world)).exitCode).toBe(0);
    expect(outlineOf(await planOf(world))).toEqual([]);
    // What was begun in a repository is finished there; nothing comes back to it from the other.
    for (const line of begun) expect(await goodIn(world)).not.toContain(`${line.split(/[@ ]/)[2]} ${doomed}`);
    // Temporary files go when the next run writes.
    expect((await applyTo(world, { requested: ['app'] })).exitCode).toBe(0);
    for (const repository of REPOSITORIES) expect(leftovers(world, repository)).toEqual([]);
    removeTree(world.folder);
  });
});
