import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { ageKey } from '../streams/age-keys.ts';
import { applyTo, goodIn, outlineOf, planOf } from './look.ts';
import { copyWorld, newWorld, policyText, removeTree, type World } from './world.ts';

const keys = mkdtempSync(join(tmpdir(), 'bkp-keys-'));
afterAll(() => rmSync(keys, { recursive: true, force: true }));
const { recipient } = await ageKey(keys, 'mine');

const policy = policyText('retention: { keepLast: 3 }').replace(
  'path: off }',
  `path: off, encryption: { recipients: [${recipient}] } }`,
);

interface Begun {
  readonly keys: readonly string[];
  readonly arrived: readonly { readonly as: string; readonly key: string; readonly storedSha256: string }[];
}

/** A world in which a snapshot waits to be encrypted into another repository. */
async function waiting(): Promise<{ readonly world: World; readonly id: string }> {
  const world = newWorld(policy);
  for (const name of ['nas', 'off']) expect((await world.bkp('init', '--repository', name)).code).toBe(0);
  expect((await applyTo(world, { only: ['create'] })).exitCode).toBe(0);
  const [name = ''] = await goodIn(world);
  return { world, id: name.split('@')[1] ?? '' };
}

const beginOf = (world: World, id: string): Begun | undefined => {
  const path = world.path('off', 'snapshots', 'app', id, 'begin.json');
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Begun) : undefined;
};

const sourceOf = (world: World, id: string, as: string): string =>
  world.path('nas', 'snapshots', 'app', id, as.replace(/\.age$/, ''));

/** Lets a copy be killed before a step, goes on with it, and tells how far it had come. */
async function killAndGoOn(template: World, id: string, atStep: number): Promise<string> {
  const world = copyWorld(template);
  onTestFinished(() => removeTree(world.folder));
  const killed = await world.runner({ command: 'apply', atStep, signal: 'SIGKILL' });
  expect(killed.said.signal, 'the copy was over before it was killed').toBe('SIGKILL');
  expect(await goodIn(world)).toEqual([`nas app@${id}`]);
  const { keys: begun = [], arrived = [] } = beginOf(world, id) ?? {};
  // Not sent again: it would not be found in the source.
  for (const { as } of arrived) renameSync(sourceOf(world, id, as), world.path('data', as));
  expect(outlineOf(await planOf(world))).toEqual(['copy app@off replica-missing']);
  const done = await applyTo(world);
  expect(done.exitCode, `step ${atStep}: ${JSON.stringify(done.steps.map(({ message }) => message))}`).toBe(0);
  expect(await goodIn(world)).toEqual([`nas app@${id}`, `off app@${id}`]);
  const manifest = readFileSync(world.path('off', 'manifests', 'app', `${id}.json`), 'utf8');
  for (const { key, storedSha256 } of arrived) {
    expect(manifest).toContain(`"${key}"`);
    expect(manifest).toContain(storedSha256);
  }
  const verified = await world.bkp('verify', '--repository', 'off');
  expect(verified.code, verified.err).toBe(0);
  expect((await planOf(world)).steps).toEqual([]);
  return `${arrived.length} of ${begun.length}`;
}

test('a copy for other readers that is killed goes on with what had not arrived', async () => {
  const { world, id } = await waiting();
  // Before the first, in the first, between both, in the second, and before the manifest.
  const missing = new Set(['0 of 0', '0 of 1', '1 of 1', '1 of 2', '2 of 2']);
  for (let atStep = 30; missing.size > 0; atStep += 4) missing.delete(await killAndGoOn(world, id, atStep));
});

test('what arrived and is not what it was is sent again', async () => {
  const { world, id } = await waiting();
  for (let atStep = 40; (beginOf(world, id)?.arrived.length ?? 0) === 0; atStep += 1)
    await world.runner({ command: 'apply', atStep, signal: 'SIGKILL' });
  const [first] = beginOf(world, id)?.arrived ?? [];
  truncateSync(world.path('off', 'snapshots', 'app', id, first?.key ?? ''), 60);
  expect((await applyTo(world)).exitCode).toBe(0);
  expect((await world.bkp('verify', '--repository', 'off')).code).toBe(0);
});
