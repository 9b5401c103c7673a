import { rmSync } from 'node:fs';
import { expect, test } from 'vitest';
import { applyTo, goodIn, observationOf, outlineOf, planOf } from './look.ts';
import { newWorld, policyText, type World } from './world.ts';

const DAILY = 'schedule: "@daily"\nretention: { keepLast: 2 }';

/** A world with one snapshot of `app` in both repositories. */
async function worldWithOne(more: string = DAILY): Promise<World> {
  const world = newWorld(policyText(more));
  const { code, err } = await world.bkp('apply', '--yes', '--init-repositories');
  expect(code, err).toBe(0);
  return world;
}

const withheldOf = (made: Awaited<ReturnType<typeof planOf>>): readonly string[] =>
  made.withheld.map(({ action, address, reason }) => `${action} ${address} ${reason.code}`);

test('two policies share repositories: each sees its own snapshots, the other’s are one count line', async () => {
  const world = await worldWithOne();
  world.write('bkp.yaml', policyText(DAILY).replace('name: acme', 'name: other').replace('  app:', '  web:'));
  expect((await applyTo(world)).exitCode).toBe(0);
  expect((await goodIn(world)).map((name) => name.replace(/@.*/, ''))).toEqual(['nas web', 'off web']);
  const made = await planOf(world);
  expect(outlineOf(made)).toEqual([]);
  expect(made.warnings.filter(({ code }) => code === 'foreign').map(({ message }) => message)).toEqual([
    '1 snapshot of other policies in nas (acme) left alone',
    '1 snapshot of other policies in off (acme) left alone',
  ]);
  world.write('bkp.yaml', policyText(DAILY));
  expect((await goodIn(world)).map((name) => name.replace(/@.*/, ''))).toEqual(['nas app', 'off app']);
  expect(outlineOf(await planOf(world, { pruneRemoved: true }))).toEqual([]);
});

test('a backup folder of another policy’s name is refused with exit 6, and nothing is written', async () => {
  const world = await worldWithOne();
  const before = [...world.files('nas'), ...world.files('off')];
  world.write('bkp.yaml', policyText(DAILY).replace('name: acme', 'name: other'));
  const said = await world.bkp('apply', '--yes');
  expect(said.code).toBe(6);
  expect(`${said.out}${said.err}`).toContain('its folder belongs to policy acme');
  expect((await world.bkp('plan')).code).toBe(6);
  expect([...world.files('nas'), ...world.files('off')]).toEqual(before);
});

test('a renamed policy, backup and target keep their history through `formerly`', async () => {
  const world = await worldWithOne();
  const [first = ''] = await goodIn(world);
  world.write(
    'bkp.yaml',
    policyText(`formerly: [app]\n${DAILY}`)
      .replace('name: acme', 'name: acme-prod\nformerly: [acme]')
      .replace('  app:', '  shop:')
      .replace('db: { type', 'main-db: { formerly: [db], type')
      .replace('targets: [db, up]', 'targets: [main-db, up]'),
  );
  expect(outlineOf(await planOf(world))).toEqual([]);
  expect(await goodIn(world)).toContain(first);

  // The new name captures into its own folder; retention reaches across, in both repositories.
  expect((await applyTo(world, { requested: ['shop'] })).exitCode).toBe(0);
  const pruning = await applyTo(world, { requested: ['shop'] });
  expect(pruning.steps.map(({ step, outcome }) => `${step.action} ${step.address} ${outcome}`)).toEqual([
    'create shop@nas done',
    'copy shop@off done',
    'prune shop@nas done',
    'prune shop@off done',
  ]);
  const good = await goodIn(world);
  expect(good).toHaveLength(4);
  expect(good.every((name) => name.includes(' shop@'))).toBe(true);
  expect(outlineOf(await planOf(world))).toEqual([]);
});

test('a snapshot under an old name is copied, restored and destroyed under the new one', async () => {
  const world = await worldWithOne();
  const id = (await goodIn(world))[0]?.split('@')[1] ?? '';
  rmSync(world.path('off'), { recursive: true });
  world.write('bkp.yaml', policyText(`formerly: [app]\n${DAILY}`).replace('  app:', '  shop:'));
  expect((await world.bkp('init', '--repository', 'off')).code).toBe(0);
  const made = await planOf(world);
  expect(outlineOf(made)).toEqual(['copy shop@off replica-missing']);
  expect((await applyTo(world)).exitCode).toBe(0);
  expect(await goodIn(world)).toEqual([`nas app@${id}`, `off app@${id}`]);
  expect(outlineOf(await planOf(world))).toEqual([]);

  const rows = world.rows();
  world.sql('DELETE FROM events');
  const restored = await world.bkp('restore', `shop@${id}`, '--target', 'db', '--mode', 'replace', '--yes');
  expect(restored.code, restored.err).toBe(0);
  expect(world.rows()).toEqual(rows);
  expect((await world.bkp('destroy', `shop@${id}`, '--force', `shop@${id}`, '--yes')).code).toBe(0);
  expect(await goodIn(world)).toEqual([]);
});

test('without `formerly` a rename is a removal and a first snapshot; --prune-removed leaves the last good one', async () => {
  const world = await worldWithOne();
  expect((await applyTo(world, { requested: ['app'] })).exitCode).toBe(0);
  world.write('bkp.yaml', policyText(DAILY).replace('  app:', '  shop:'));
  const made = await planOf(world);
  expect(outlineOf(made)).toEqual(['create shop@nas first-snapshot', 'copy shop@off replica-missing']);
  expect(withheldOf(made)).toEqual(['prune app@nas backup-removed', 'prune app@off backup-removed']);
  expect((await applyTo(world)).exitCode).toBe(0);
  expect((await goodIn(world)).filter((name) => name.includes(' app@'))).toHaveLength(4);

  const pruning = await world.bkp('apply', '--prune-removed', '--yes');
  expect(pruning.code, pruning.err).toBe(0);
  expect((await goodIn(world)).filter((name) => name.includes(' app@'))).toHaveLength(2);
  expect(outlineOf(await planOf(world, { pruneRemoved: true }))).toEqual([]);
});

test('a backup that does not use a repository any more leaves its snapshots there until they are asked away', async () => {
  const world = await worldWithOne();
  expect((await applyTo(world, { requested: ['app'] })).exitCode).toBe(0);
  world.write('bkp.yaml', policyText(DAILY, '[nas]'));
  const made = await planOf(world);
  expect(outlineOf(made)).toEqual([]);
  expect(withheldOf(made)).toEqual(['prune app@off backup-removed']);
  expect((await applyTo(world, { pruneRemoved: true })).exitCode).toBe(0);
  const good = await goodIn(world);
  expect(good.filter((name) => name.startsWith('nas '))).toHaveLength(2);
  expect(good.filter((name) => name.startsWith('off '))).toHaveLength(1);
});

test('`protect: true` outlives the backup: neither destroy nor --prune-removed takes its snapshots', async () => {
  const world = await worldWithOne(`protect: true\n${DAILY}`);
  expect((await applyTo(world, { requested: ['app'] })).exitCode).toBe(0);
  const good = await goodIn(world);
  const first = good[0]?.split(' ')[1] ?? '';
  expect((await world.bkp('destroy', first, '--force', first, '--yes')).code).toBe(6);
  world.write('bkp.yaml', policyText(DAILY).replace('  app:', '  shop:'));
  expect(withheldOf(await planOf(world, { pruneRemoved: true }))).toEqual(
    expect.arrayContaining(['prune app@nas protected', 'prune app@off protected']),
  );
  expect((await applyTo(world, { pruneRemoved: true })).exitCode).toBe(0);
  expect(await goodIn(world)).toEqual(expect.arrayContaining([...good]));
});

test('a target may stand in two backups; each has its own history and restores from it', async () => {
  const world = newWorld(
    `${policyText(DAILY)}  copy:\n    targets: [db]\n    repositories: [nas]\n    schedule: "@daily"\n`,
  );
  expect((await world.bkp('apply', '--yes', '--init-repositories')).code).toBe(0);
  expect((await goodIn(world)).map((name) => name.replace(/@.*/, ''))).toEqual(['nas app', 'nas copy', 'off app']);
  const rows = world.rows();
  world.sql("INSERT INTO events (text) VALUES ('four')");
  expect((await world.bkp('backup', 'copy')).code).toBe(0);
  const newer = world.rows();
  expect((await world.bkp('restore', 'app@latest', '--target', 'db', '--mode', 'replace', '--yes')).code).toBe(0);
  expect(world.rows()).toEqual(rows);
  expect((await world.bkp('restore', 'copy@latest', '--mode', 'replace', '--yes')).code).toBe(0);
  expect(world.rows()).toEqual(newer);
  const { repositories } = await observationOf(world);
  expect(repositories.map(({ state }) => state)).toEqual(['ready', 'ready']);
});
