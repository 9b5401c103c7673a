import { mkdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { applyTo, goodIn, outlineOf, planOf } from './look.ts';
import { newWorld, policyText, type World } from './world.ts';

const DAILY = 'schedule: "@daily"\nretention: { keepLast: 3 }\nverify: { every: 7d, deep: 30d }';

async function worldWithOne(more: string = DAILY, repositories?: string): Promise<World> {
  const world = newWorld(policyText(more, repositories));
  const { code, err } = await world.bkp('apply', '--yes', '--init-repositories');
  expect(code, err).toBe(0);
  return world;
}

/** Another machine: it remembers nothing. */
const forget = (world: World): void => rmSync(world.cacheDir, { recursive: true, force: true });

const warningsOf = (made: Awaited<ReturnType<typeof planOf>>): readonly string[] =>
  made.warnings.map(({ code, address }) => `${code} ${address}`);

const idOf = async (world: World): Promise<string> => (await goodIn(world))[0]?.split('@')[1] ?? '';

test.each(['absent', 'an empty mount point'])(
  'an unmounted repository that is %s is told, and nothing is created',
  async (how) => {
    const world = await worldWithOne(DAILY, '[nas]');
    renameSync(world.path('nas'), world.path('elsewhere'));
    if (how !== 'absent') mkdirSync(world.path('nas'));
    for (const machine of ['the same', 'another']) {
      if (machine === 'another') forget(world);
      const said = await world.bkp('apply', '--yes');
      expect(said.code, machine).toBe(6);
      expect(`${said.out}${said.err}`, machine).toContain('mounted');
      expect((await world.bkp('backup', 'app')).code, machine).toBe(6);
      expect(warningsOf(await planOf(world)), machine).toContain('identity-missing nas');
      expect(
        how === 'absent' ? world.files('.').filter((file) => file.startsWith('nas/')) : world.files('nas'),
      ).toEqual([]);
    }
  },
);

test('an unmounted repository is not made anew by --init-repositories where anybody remembers it', async () => {
  const world = await worldWithOne();
  renameSync(world.path('off'), world.path('elsewhere'));
  mkdirSync(world.path('off'));
  for (const machine of ['the same', 'another']) {
    if (machine === 'another') forget(world);
    // The other one goes on; that one of them is away is exit 6.
    const said = await world.bkp('apply', '--yes', '--init-repositories');
    expect(said.code, said.err).toBe(6);
    expect(world.files('off')).toEqual([]);
  }
  expect((await world.bkp('init', '--repository', 'off')).code).toBe(0);
  forget(world);
  expect(outlineOf(await planOf(world))).toEqual(['copy app@off replica-missing', 'verify app@off verify-due']);
});

test('with its first repository away, a capture goes to the next one and is copied back later', async () => {
  const world = await worldWithOne();
  renameSync(world.path('nas'), world.path('elsewhere'));
  const said = await world.bkp('backup', 'app');
  expect(said.code, said.err).toBe(6);
  expect(await goodIn(world)).toHaveLength(2);
  renameSync(world.path('elsewhere'), world.path('nas'));
  expect(outlineOf(await planOf(world))).toEqual(['copy app@nas replica-missing', 'verify app@nas verify-due']);
  expect((await applyTo(world)).exitCode).toBe(0);
  expect(await goodIn(world)).toHaveLength(4);
  expect(outlineOf(await planOf(world))).toEqual([]);
});

test('a different repository mounted there gets nothing, on this machine and on one that never saw it', async () => {
  const world = await worldWithOne();
  const stranger = newWorld(policyText(DAILY, '[nas]').replace('name: acme', 'name: stranger'));
  expect((await stranger.bkp('apply', '--yes', '--init-repositories')).code).toBe(0);
  renameSync(world.path('off'), world.path('right'));
  renameSync(stranger.path('nas'), world.path('off'));
  const before = world.files('off');
  for (const machine of ['the same', 'another']) {
    if (machine === 'another') forget(world);
    const made = await planOf(world, { requested: ['app'] });
    expect(warningsOf(made), machine).toContain('identity-missing off');
    expect((await applyTo(world, { requested: ['app'] })).exitCode, machine).toBe(6);
    expect(world.files('off'), machine).toEqual(before);
  }
  renameSync(world.path('off'), stranger.path('nas'));
  renameSync(world.path('right'), world.path('off'));
  expect((await applyTo(world)).exitCode).toBe(0);
  expect(await goodIn(world)).toHaveLength(6);
});

test('two repositories mounted at each other’s place are noticed', async () => {
  const world = await worldWithOne();
  renameSync(world.path('nas'), world.path('x'));
  renameSync(world.path('off'), world.path('nas'));
  renameSync(world.path('x'), world.path('off'));
  for (const machine of ['the same', 'another']) {
    if (machine === 'another') forget(world);
    expect(warningsOf(await planOf(world)), machine).toEqual(
      expect.arrayContaining(['identity-missing nas', 'identity-missing off']),
    );
  }
});

test('a repository that cannot be read is not empty: no steps, an error, exit 7, and the rest goes on', async () => {
  const world = await worldWithOne();
  writeFileSync(world.path('off', 'bkp-repository.json'), 'not json');
  const made = await planOf(world, { requested: ['app'] });
  expect(made.errors.map(({ code, address }) => `${code} ${address}`)).toEqual(['repository-unavailable off']);
  expect(outlineOf(made)).toEqual(['create app@nas requested', 'verify app@nas verify-due']);
  expect((await world.bkp('plan')).code).toBe(7);
  expect((await world.bkp('backup', 'app')).code).toBe(7);
});

test.each(['newer', 'unreadable'])(
  'a manifest that is %s is drift: told, never deleted, never copied over',
  async (how) => {
    const world = await worldWithOne();
    const id = await idOf(world);
    const key = `off/manifests/app/${id}.json`;
    const text =
      how === 'newer'
        ? readFileSync(world.path(key), 'utf8').replace('"formatVersion": 1', '"formatVersion": 2')
        : '{"formatVersion": 1';
    writeFileSync(world.path(key), text);
    forget(world);
    const made = await planOf(world);
    expect(outlineOf(made)).toEqual([]);
    expect(made.warnings.find(({ code }) => code === 'drift')?.message).toContain(id);
    expect((await world.bkp('status')).code).toBe(2);
    // Whatever happens around it, it stays.
    for (let n = 0; n < 4; n++) expect((await applyTo(world, { requested: ['app'] })).exitCode).toBe(0);
    expect(readFileSync(world.path(key), 'utf8')).toBe(text);
    expect(world.files(`off/snapshots/app/${id}`)).toContain('begin.json');
    expect(outlineOf(await planOf(world))).toEqual([]);
  },
);

test('a manifest that changed since it was read is drift', async () => {
  const world = await worldWithOne();
  const id = await idOf(world);
  expect((await planOf(world)).warnings).toEqual([]);
  const key = world.path(`nas/manifests/app/${id}.json`);
  writeFileSync(key, readFileSync(key, 'utf8').replaceAll('"kind": "backup"', '"kind": "adopted"'));
  const made = await planOf(world);
  expect(made.warnings.map(({ code, address }) => `${code} ${address}`)).toEqual(['drift app@nas']);
  expect(outlineOf(made)).toEqual([]);
});

test('a manifest deleted by hand is drift; its files are left alone, and a copy brings it back where one is', async () => {
  const world = await worldWithOne();
  const id = await idOf(world);
  rmSync(world.path(`nas/manifests/app/${id}.json`));
  const made = await planOf(world);
  expect(made.warnings.map(({ code, address }) => `${code} ${address}`)).toEqual(['drift app@nas']);
  expect(made.warnings[0]?.message).toContain(`snapshot ${id} was stored in nas and is gone`);
  expect(outlineOf(made)).toEqual(['copy app@nas replica-missing', 'verify app@nas verify-due']);
  expect((await applyTo(world)).exitCode).toBe(0);
  expect(await goodIn(world)).toEqual([`nas app@${id}`, `off app@${id}`]);
  const after = await planOf(world);
  expect([outlineOf(after), after.warnings]).toEqual([[], []]);
});

test('a manifest deleted by hand without a copy takes nothing with it: brought back, the snapshot is good', async () => {
  const world = await worldWithOne(DAILY, '[nas]');
  const id = await idOf(world);
  const key = world.path(`nas/manifests/app/${id}.json`);
  const manifest = readFileSync(key);
  rmSync(key);
  expect(outlineOf(await planOf(world))).toEqual(['create app@nas first-snapshot', 'verify app@nas verify-due']);
  expect((await applyTo(world)).exitCode).toBe(0);
  const made = await planOf(world);
  expect([outlineOf(made), warningsOf(made)]).toEqual([[], ['drift app@nas']]);
  expect((await world.bkp('status')).code).toBe(2);
  writeFileSync(key, manifest);
  expect(await goodIn(world)).toHaveLength(2);
  expect((await world.bkp('verify', '--deep')).code).toBe(0);
});

const artifactOf = (world: World, id: string, repository = 'nas'): string =>
  world.path(repository, 'snapshots', 'app', id, 'db.db.zst');

test.each([
  ['deleted', (path: string) => rmSync(path)],
  ['cut', (path: string) => truncateSync(path, 40)],
  [
    'changed',
    (path: string) => {
      const bytes = readFileSync(path);
      bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
      writeFileSync(path, bytes);
    },
  ],
])('an artifact %s by hand is found, replaced from the other repository, and good again', async (_, damage) => {
  const world = await worldWithOne();
  const id = await idOf(world);
  const whole = readFileSync(artifactOf(world, id));
  damage(artifactOf(world, id));
  const verified = await world.bkp('verify', `app@${id}`);
  expect(verified.code, verified.out).toBe(1);
  expect(await goodIn(world)).toEqual([`off app@${id}`]);
  const made = await planOf(world);
  expect(outlineOf(made)).toEqual(['replace app@nas replica-corrupt']);
  expect(made.steps[0]?.artifacts).toEqual(['db.db.zst']);
  expect((await applyTo(world)).exitCode).toBe(0);
  expect(readFileSync(artifactOf(world, id))).toEqual(whole);
  expect(await goodIn(world)).toEqual([`nas app@${id}`, `off app@${id}`]);
  expect(outlineOf(await planOf(world))).toEqual([]);
  expect((await world.bkp('verify', '--deep')).code).toBe(0);
});

test('a folder of artifacts deleted by hand is replaced whole', async () => {
  const world = await worldWithOne();
  const id = await idOf(world);
  rmSync(world.path('nas/snapshots/app', id), { recursive: true });
  expect(outlineOf(await planOf(world))).toEqual(['replace app@nas replica-corrupt']);
  expect((await applyTo(world)).exitCode).toBe(0);
  expect((await world.bkp('verify', '--deep')).code).toBe(0);
  expect(outlineOf(await planOf(world))).toEqual([]);
});

test('damage without another copy is captured anew for its tick, and the damaged one stays until a newer is good', async () => {
  const world = await worldWithOne(DAILY, '[nas]');
  const id = await idOf(world);
  rmSync(artifactOf(world, id));
  expect((await world.bkp('verify', `app@${id}`)).code).toBe(1);
  const made = await planOf(world);
  expect(outlineOf(made)).toEqual(['create app@nas verify-failed', 'verify app@nas verify-due']);
  expect((await applyTo(world)).exitCode).toBe(0);
  expect(await goodIn(world)).toHaveLength(1);
  expect(outlineOf(await planOf(world))).toEqual([]);
});

test('a damaged source is not copied; it is remembered, and the next plan does without it', async () => {
  const world = await worldWithOne();
  const id = await idOf(world);
  rmSync(world.path('off'), { recursive: true });
  expect((await world.bkp('init', '--repository', 'off')).code).toBe(0);
  truncateSync(artifactOf(world, id), 40);
  const result = await applyTo(world);
  expect(result.exitCode).toBe(1);
  expect(world.files('off').filter((file) => file.startsWith('manifests'))).toEqual([]);
  const made = await planOf(world);
  expect(outlineOf(made)[0]).toBe('create app@nas verify-failed');
  expect((await applyTo(world)).exitCode).toBe(0);
  expect(await goodIn(world)).toHaveLength(2);
});
