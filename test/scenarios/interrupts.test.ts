import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { eachLimited } from '../../src/each-limited.ts';
import { applyTo, deepDamage, goodIn, leftovers, observationOf, outlineOf, planOf } from './look.ts';
import { copyWorld, ended, filesBelow, newWorld, policyText, removeTree, type Said, type World } from './world.ts';

const HOOKS =
  'hooks:\n  before: [ { run: [sh, -c, "rm -f ran"] } ]\n  after: [ { run: [sh, -c, "echo x > ran"], always: true } ]';

/** Processes that still work on something of a world. */
const busyWith = (world: World): readonly string[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      try {
        const cmdline = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
        return cmdline.includes(world.folder) ? [cmdline.replaceAll('\0', ' ')] : [];
      } catch {
        return [];
      }
    });

async function assertLeasesReleased(world: World): Promise<void> {
  const { repositories } = await observationOf(world);
  for (const one of repositories) if (one.state === 'ready') expect(one.inventory.leases).toEqual([]);
  for (const repository of ['nas', 'off']) {
    for (const file of world.files(repository).filter((name) => name.startsWith('locks/')))
      expect(world.json(`${repository}/${file}`)).toMatchObject({ state: 'released' });
  }
}

test('SIGTERM at any step of capture and copy: exit 130, hooks run, nothing half-made, leases free, the next run fine', async () => {
  const template = newWorld(policyText(`retention: { keepLast: 2 }\nverify: { every: 7d }\n${HOOKS}`));
  expect((await template.bkp('apply', '--yes', '--init-repositories')).code).toBe(0);
  expect((await template.bkp('backup', 'app')).code).toBe(0);
  const before = await goodIn(template);
  rmSync(template.path('ran'));
  const whole = copyWorld(template);
  onTestFinished(() => removeTree(whole.folder));
  const last = (await whole.runner({ command: 'apply', requested: ['app'] })).outcome?.fileSteps ?? 0;
  const steps = Array.from({ length: 12 }, (_, index) => 6 + Math.floor((index * (last - 16)) / 11));
  await eachLimited(steps, 2, async (atStep) => {
    const world = copyWorld(template);
    onTestFinished(() => removeTree(world.folder));
    const { said, outcome } = await world.runner({ command: 'apply', requested: ['app'], atStep, signal: 'SIGTERM' });
    const step = `step ${atStep}: ${said.out} ${said.err}`;
    expect(outcome?.exitCode, step).toBe(130);
    expect(busyWith(world), step).toEqual([]);
    await assertLeasesReleased(world);
    const captured = outcome?.steps.some(({ action, outcome: how }) => action === 'create' && how !== 'not-started');
    if (captured === true) expect(existsSync(world.path('ran')), step).toBe(true);
    expect(await goodIn(world), step).toEqual(expect.arrayContaining(before.slice(1, 2)));
    expect(leftovers(world, 'nas'), step).toEqual([]);
    // What a copy brought so far waits for the next try.
    const ids = (await goodIn(world)).map((name) => name.split('@')[1] ?? '');
    for (const file of leftovers(world, 'off')) expect(ids, step).toContain(file.split('/')[2]);
    expect(await deepDamage(world, before), step).toEqual([]);
    expect((await applyTo(world, { requested: ['app'] })).exitCode, step).toBe(0);
    expect(outlineOf(await planOf(world)), step).toEqual([]);
    expect(leftovers(world, 'off'), step).toEqual([]);
    removeTree(world.folder);
  });
});

/** Everything a restore may change, as one text. */
function stateOf(world: World): string {
  const folder = world.path('data', 'up');
  const tree = existsSync(folder)
    ? filesBelow(folder).map((name) => `${name} ${readFileSync(`${folder}/${name}`).toString('base64').slice(0, 200)}`)
    : ['no tree'];
  return JSON.stringify([world.rows().length, world.rows().slice(0, 50), tree]);
}

const ROWS = 120_000;

async function worldToRestore(): Promise<World> {
  const world = newWorld(policyText('', '[nas]'));
  world.sql(`WITH RECURSIVE n(i) AS (SELECT 4 UNION ALL SELECT i + 1 FROM n WHERE i < ${ROWS})
    INSERT INTO events SELECT i, 'event ' || i FROM n`);
  mkdirSync(world.path('data/up/many'));
  for (let n = 0; n < 400; n++) writeFileSync(world.path(`data/up/many/${n}`), `file ${n}\n`.repeat(200));
  for (const name of ['nas', 'off']) expect((await world.bkp('init', '--repository', name)).code).toBe(0);
  expect((await world.bkp('apply', '--yes')).code).toBe(0);
  return world;
}

/** Starts a restore, ends it after a while, and gives what it said. */
async function interrupt(world: World, args: readonly string[], afterMs: number): Promise<Said> {
  const child = world.startBkp('restore', 'app@latest', ...args, '--yes');
  const end = ended(child);
  const over = end.then(() => true);
  if (!(await Promise.race([over, setTimeout(afterMs, false)]))) child.kill('SIGTERM');
  return end;
}

test.each([
  ['replace', 'db'],
  ['merge', 'db'],
  ['replace', 'up'],
  ['merge', 'up'],
])('SIGTERM at any moment of a restore with mode %s of %s: as it was or wholly restored', async (mode, target) => {
  const world = await worldToRestore();
  world.sql(`DELETE FROM events WHERE id > ${ROWS / 2}; UPDATE events SET text = 'changed' WHERE id = 2`);
  rmSync(world.path('data/up/many/7'));
  world.write('data/up/one.txt', 'changed\n');
  cpSync(world.path('data'), world.path('saved'), { recursive: true, preserveTimestamps: true });
  const reset = (): void => {
    rmSync(world.path('data'), { recursive: true });
    cpSync(world.path('saved'), world.path('data'), { recursive: true, preserveTimestamps: true });
  };
  const args = ['--mode', mode, '--target', target];
  const before = stateOf(world);
  const started = performance.now();
  const first = await world.bkp('restore', 'app@latest', ...args, '--yes');
  expect(first.code, first.err).toBe(0);
  const length = performance.now() - started;
  const after = stateOf(world);
  expect(after).not.toBe(before);
  for (let index = 0; index < 7; index++) {
    reset();
    const moment = length * (0.25 + (0.75 * index) / 6);
    const said = await interrupt(world, args, moment);
    const told = `${Math.round(moment)} of ${Math.round(length)} ms: exit ${said.code} ${said.out}${said.err}`;
    // Without a code: the signal came while Node.js took itself down, after all work.
    expect([0, 130, null], told).toContain(said.code);
    if (said.code !== 130) expect(stateOf(world), told).toBe(after);
    else expect([before, after].includes(stateOf(world)), told).toBe(true);
    expect(busyWith(world), told).toEqual([]);
    const strangers = filesBelow(world.path('data')).filter(
      (name) => name.includes('.bkp-') && !name.includes('.bkp-old-'),
    );
    expect(strangers, told).toEqual([]);
    await assertLeasesReleased(world);
    // The same again, to its end.
    const again = await world.bkp('restore', 'app@latest', ...args, '--yes');
    expect(again.code, `${told}\n${again.err}`).toBe(0);
    expect(stateOf(world), told).toBe(after);
  }
  // After a restore the next backup works.
  expect((await applyTo(world, { requested: ['app'] })).exitCode).toBe(0);
});
