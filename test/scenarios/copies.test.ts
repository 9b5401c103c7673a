import { chmodSync, readFileSync, renameSync, rmSync, statSync, truncateSync } from 'node:fs';
import { expect, test } from 'vitest';
import { applyTo, deepDamage, goodIn, leftovers, outlineOf, planOf } from './look.ts';
import { bkpUnprivileged, handOver } from './unprivileged.ts';
import { newWorld, policyText, type World } from './world.ts';

const KEPT = 'retention: { keepLast: 3 }';

const REPOSITORIES = ['nas', 'off', 'ro', 'away'];

const four = (more: string): string =>
  policyText(more, `[${REPOSITORIES.join(', ')}]`).replace(
    'targets:\n',
    '  ro: { type: directory, path: ro }\n  away: { type: directory, path: away }\ntargets:\n',
  );

const holders = async (world: World): Promise<readonly string[]> =>
  [...new Set((await goodIn(world)).map((name) => name.split(' ')[0] ?? ''))].toSorted();

const idsIn = async (world: World, repository: string): Promise<readonly string[]> =>
  (await goodIn(world)).filter((name) => name.startsWith(`${repository} `)).map((name) => name.split('@')[1] ?? '');

const artifactIn = (world: World, repository: string, id: string): string =>
  world.path(repository, 'snapshots', 'app', id, 'db.db.zst');

test('one repository read-only, one absent: the others are complete, exit 7, and the next run catches up', async () => {
  const world = newWorld(four(`${KEPT}\nverify: { every: 7d }`));
  for (const name of REPOSITORIES) expect((await world.bkp('init', '--repository', name)).code).toBe(0);
  renameSync(world.path('away'), world.path('unmounted'));
  handOver(world);
  chmodSync(world.path('ro'), 0o555);
  const said = await bkpUnprivileged(world, 'backup', 'app');
  expect(said.code, said.err).toBe(7);
  expect(`${said.out}${said.err}`).toMatch(/copy app@ro: cannot .* permission denied/);
  expect(await holders(world)).toEqual(['nas', 'off']);
  expect(leftovers(world, 'ro')).toEqual([]);

  chmodSync(world.path('ro'), 0o755);
  renameSync(world.path('unmounted'), world.path('away'));
  const rest = await bkpUnprivileged(world, 'apply', '--yes', '--only', 'copy');
  expect(rest.code, rest.err).toBe(0);
  expect(await holders(world)).toEqual(REPOSITORIES.toSorted());
  expect(await idsIn(world, 'nas')).toHaveLength(1);
  expect(await deepDamage(world)).toEqual([]);
});

test('a first repository that cannot be written to: captured into the next, copied back by the next run', async () => {
  const world = newWorld(policyText(`${KEPT}\nverify: { every: 7d }`));
  expect((await world.bkp('apply', '--yes', '--init-repositories')).code).toBe(0);
  const [first = ''] = await idsIn(world, 'nas');
  handOver(world);
  chmodSync(world.path('nas', 'locks'), 0o555);
  const said = await bkpUnprivileged(world, 'backup', 'app');
  const told = `${said.out}${said.err}`;
  expect(said.code, said.err).toBe(7);
  expect(told).toContain('nas cannot be written to: app is captured into off');
  expect(told).toMatch(/copy app@nas: cannot .* permission denied/);
  expect(await idsIn(world, 'nas')).toEqual([first]);
  const [, second = ''] = await idsIn(world, 'off');
  expect(leftovers(world, 'nas')).toEqual([]);

  chmodSync(world.path('nas', 'locks'), 0o755);
  const rest = await bkpUnprivileged(world, 'apply', '--yes');
  expect(rest.code, rest.err).toBe(0);
  expect(await idsIn(world, 'nas')).toEqual([first, second]);
  expect(await deepDamage(world)).toEqual([]);
  expect(outlineOf(await planOf(world))).toEqual([]);
});

test('an only repository that cannot be written to fails the capture', async () => {
  const world = newWorld(policyText(KEPT, '[nas]'));
  for (const name of ['nas', 'off']) expect((await world.bkp('init', '--repository', name)).code).toBe(0);
  handOver(world);
  chmodSync(world.path('nas'), 0o555);
  const said = await bkpUnprivileged(world, 'backup', 'app');
  expect(said.code, said.err).toBe(1);
  expect(said.err).toMatch(/cannot .* permission denied/);
  expect(leftovers(world, 'nas')).toEqual([]);
});

test('bytes that the last verified snapshot has are not copied again, and each snapshot stands alone', async () => {
  const linked = policyText(`${KEPT}\nverify: { every: 7d }`).replace('path: off }', 'path: off, dedupe: hardlink }');
  const world = newWorld(linked);
  expect((await world.bkp('apply', '--yes', '--init-repositories')).code).toBe(0);
  expect((await world.bkp('backup', 'app')).code).toBe(0);
  const [first = '', second = ''] = await idsIn(world, 'off');
  const inodeOf = (id: string): number => statSync(artifactIn(world, 'off', id)).ino;
  expect(readFileSync(artifactIn(world, 'nas', first)).equals(readFileSync(artifactIn(world, 'nas', second)))).toBe(
    true,
  );
  expect(inodeOf(second)).toBe(inodeOf(first));
  expect(statSync(artifactIn(world, 'nas', second)).nlink).toBe(1);
  // What is damaged is not shared.
  truncateSync(artifactIn(world, 'off', first), 40);
  expect((await world.bkp('backup', 'app')).code).toBe(0);
  const [, , third = ''] = await idsIn(world, 'off');
  expect(inodeOf(third)).not.toBe(inodeOf(first));
  expect(readFileSync(artifactIn(world, 'off', third)).equals(readFileSync(artifactIn(world, 'nas', third)))).toBe(
    true,
  );
});

test('a copy asks nothing of the target: it may be gone', async () => {
  const world = newWorld(policyText(KEPT));
  expect((await world.bkp('init', '--repository', 'nas')).code).toBe(0);
  expect((await world.bkp('init', '--repository', 'off')).code).toBe(0);
  expect((await applyTo(world, { only: ['create'] })).exitCode).toBe(0);
  rmSync(world.path('data'), { recursive: true });
  expect((await world.bkp('apply', '--yes')).code).toBe(0);
  expect(await holders(world)).toEqual(['nas', 'off']);
  expect(await deepDamage(world)).toEqual([]);
});

test('a copy that is killed is not seen, and the next one sends only what had not arrived', async () => {
  const whole = newWorld(policyText(KEPT));
  expect((await whole.bkp('init', '--repository', 'nas')).code).toBe(0);
  expect((await whole.bkp('init', '--repository', 'off')).code).toBe(0);
  expect((await applyTo(whole, { only: ['create'] })).exitCode).toBe(0);
  // Somewhere while the second artifact is written: found by trying, since the steps are counted, not named.
  for (let atStep = 20; ; atStep += 1) {
    const killed = await whole.runner({ command: 'apply', atStep, signal: 'SIGKILL' });
    expect(killed.said.signal, 'the copy was over before it was killed').toBe('SIGKILL');
    if (leftovers(whole, 'off').some((file) => file.endsWith('db.db.zst'))) break;
  }
  expect(await holders(whole)).toEqual(['nas']);
  const [id = ''] = await idsIn(whole, 'nas');
  const arrived = readFileSync(artifactIn(whole, 'off', id));
  // Not sent again: it would not be found in the source.
  renameSync(artifactIn(whole, 'nas', id), whole.path('hidden'));
  const made = await planOf(whole);
  expect(outlineOf(made)).toEqual(['copy app@off replica-missing']);
  expect((await applyTo(whole)).exitCode).toBe(0);
  renameSync(whole.path('hidden'), artifactIn(whole, 'nas', id));
  expect(readFileSync(artifactIn(whole, 'off', id)).equals(arrived)).toBe(true);
  expect(await holders(whole)).toEqual(['nas', 'off']);
  expect(await deepDamage(whole)).toEqual([]);
  expect(leftovers(whole, 'off')).toEqual([]);
});

test('what arrived damaged in an earlier try is sent again', async () => {
  const world = newWorld(policyText(KEPT));
  expect((await world.bkp('apply', '--yes', '--init-repositories')).code).toBe(0);
  const [id = ''] = await idsIn(world, 'nas');
  rmSync(world.path('off', 'manifests', 'app', `${id}.json`));
  truncateSync(artifactIn(world, 'off', id), 40);
  expect((await applyTo(world)).exitCode).toBe(0);
  expect(await holders(world)).toEqual(['nas', 'off']);
  expect(await deepDamage(world)).toEqual([]);
});

test('damage in two copies is never spread: what is worse stays where it is', async () => {
  const world = newWorld(policyText(`${KEPT}\nverify: { every: 7d }`));
  expect((await world.bkp('apply', '--yes', '--init-repositories')).code).toBe(0);
  const [id = ''] = await idsIn(world, 'nas');
  truncateSync(artifactIn(world, 'nas', id), 60);
  expect((await world.bkp('verify', `app@${id}`)).code).toBe(1);
  truncateSync(artifactIn(world, 'off', id), 40);
  const made = await planOf(world);
  expect(outlineOf(made)).toEqual(['replace app@nas replica-corrupt']);
  expect((await applyTo(world)).exitCode).toBe(1);
  expect(readFileSync(artifactIn(world, 'nas', id))).toHaveLength(60);
  expect(readFileSync(artifactIn(world, 'off', id))).toHaveLength(40);
  expect(await goodIn(world)).toEqual([]);
  expect(outlineOf(await planOf(world))[0]).toBe('create app@nas verify-failed');
});

test('what one repository lets go is not copied back, and a kept one goes nowhere before it was copied', async () => {
  const world = newWorld(policyText('retention: { keepLast: 1 }'));
  expect((await world.bkp('apply', '--yes', '--init-repositories')).code).toBe(0);
  const [old = ''] = await idsIn(world, 'nas');
  renameSync(world.path('off'), world.path('unmounted'));
  expect((await world.bkp('backup', 'app')).code).toBe(6);
  expect((await world.bkp('apply', '--yes')).code).toBe(6);
  expect((await idsIn(world, 'nas')).includes(old)).toBe(false);
  renameSync(world.path('unmounted'), world.path('off'));
  // Only the copy makes the old one superfluous there.
  const made = await planOf(world);
  expect(outlineOf(made)).toEqual(['copy app@off replica-missing', 'prune app@off retention-exceeded']);
  expect(made.steps[1]?.dependsOn).toContain(made.steps[0]?.id);
  const held = await planOf(world, { only: ['prune'] });
  expect(held.withheld.map(({ reason }) => reason.code)).toContain('last-good');
  expect(outlineOf(held)).toEqual([]);
  expect((await applyTo(world)).exitCode).toBe(0);
  expect(await idsIn(world, 'off')).toEqual(await idsIn(world, 'nas'));
});
