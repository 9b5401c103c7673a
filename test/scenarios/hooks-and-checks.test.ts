import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { RunRecord } from '../../src/snapshots/run-record.ts';
import { applyTo, goodIn, leftovers, observationOf, outlineOf, planOf } from './look.ts';
import { ended, newWorld, policyText, type World } from './world.ts';

async function worldWith(more: string): Promise<World> {
  const world = newWorld(policyText(more, '[nas]'));
  for (const name of ['nas', 'off']) expect((await world.bkp('init', '--repository', name)).code).toBe(0);
  return world;
}

/** Hooks that leave a line each, by name; `extra` stands in the named hook. */
const hooks = (fails: string, extra = ''): string => {
  const line = (name: string, more = ''): string =>
    `{ run: [sh, -c, "echo ${name} >> hooks.log; ${fails === name ? 'echo broken >&2; exit 3' : 'true'}"]${more}${fails === name ? extra : ''} }`;
  return `hooks:
  before: [ ${line('first')}, ${line('second')} ]
  after: [ ${line('after')}, ${line('always', ', always: true')} ]`;
};

const log = (world: World): readonly string[] =>
  existsSync(world.path('hooks.log')) ? world.read('hooks.log').toString().trim().split('\n') : [];

async function runsOf(world: World): Promise<readonly RunRecord[]> {
  const { repositories } = await observationOf(world);
  return repositories.flatMap((one) => (one.state === 'ready' ? one.inventory.runs : []));
}

test('a before hook that fails: nothing is captured, exit 1, what must always run after runs', async () => {
  const world = await worldWith(hooks('second'));
  const said = await world.bkp('apply', '--yes');
  expect(said.code, said.err).toBe(1);
  expect(`${said.out}${said.err}`).toMatch(/the before hook sh .* exited 3: broken/);
  expect(log(world)).toEqual(['first', 'second', 'always']);
  expect([await goodIn(world), leftovers(world, 'nas')]).toEqual([[], []]);
  expect((await runsOf(world)).map(({ outcome, owedHooks }) => [outcome, owedHooks])).toEqual([['failed', []]]);
  // It waits for `retryAfter`, unless it is asked for.
  const made = await planOf(world);
  expect([outlineOf(made), made.withheld.map(({ reason }) => reason.code)]).toEqual([[], ['first-snapshot']]);
  expect(made.withheld[0]?.reason.message).toContain('the last try failed');
  expect((await world.bkp('backup', 'app')).code).toBe(1);
  expect(log(world)).toHaveLength(6);
});

test('an after hook that fails: the snapshot stands, the others run, exit 7', async () => {
  const world = await worldWith(hooks('after'));
  const said = await world.bkp('apply', '--yes');
  expect(said.code, said.err).toBe(7);
  expect(`${said.out}${said.err}`).toMatch(/the after hook sh .* exited 3: broken/);
  expect(log(world)).toEqual(['first', 'second', 'after', 'always']);
  expect(await goodIn(world)).toHaveLength(1);
  expect(outlineOf(await planOf(world))).toEqual([]);
});

test('a hook that does not end is stopped with all it started, and counts as failed', async () => {
  const world = await worldWith(
    'hooks:\n  before: [ { run: [sh, -c, "sh -c \'sleep 3; echo late > late\' & wait"], timeout: 1s } ]',
  );
  const said = await world.bkp('apply', '--yes');
  expect(said.code, said.err).toBe(1);
  expect(`${said.out}${said.err}`).toMatch(/no end after 1\d* ?m?s/);
  await setTimeout(3_000);
  expect(existsSync(world.path('late'))).toBe(false);
});

test('a target that fails runs only what must always run after, and the snapshot is partial', async () => {
  const world = await worldWith(`retention: { keepLast: 2 }\n${hooks('nothing')}`);
  const database = world.read('data/app.db');
  world.write('data/app.db', 'no database');
  const said = await world.bkp('apply', '--yes');
  expect(said.code, said.err).toBe(7);
  expect(log(world)).toEqual(['first', 'second', 'always']);
  expect(await goodIn(world)).toEqual([]);
  expect((await world.bkp('list')).out).toContain('partial');
  // What was captured can be restored by target, and it goes once a newer good one exists.
  world.write('data/up/one.txt', 'changed');
  expect((await world.bkp('restore', 'app@latest', '--target', 'up', '--mode', 'replace', '--yes')).code).toBe(1);
  const { repositories } = await observationOf(world);
  const partial = repositories.flatMap((one) => (one.state === 'ready' ? one.inventory.snapshots : []))[0]?.id ?? '';
  const restored = await world.bkp('restore', `app@${partial}`, '--target', 'up', '--mode', 'replace', '--yes');
  expect(restored.code, restored.err).toBe(0);
  expect(world.read('data/up/one.txt').toString()).toBe('one\n');
  expect((await world.bkp('restore', `app@${partial}`, '--mode', 'replace', '--yes')).code).toBe(1);
  world.write('data/app.db', database);
  expect(
    (await applyTo(world, { requested: ['app'] })).steps.map(({ step, outcome }) => [step.action, outcome]),
  ).toEqual([
    ['create', 'done'],
    ['prune', 'done'],
  ]);
  expect(await goodIn(world)).toHaveLength(1);
  expect(outlineOf(await planOf(world))).toEqual([]);
});

test('a run that died owing an after hook is named with its argv until the hook has run', async () => {
  const world = await worldWith(
    'hooks:\n  before: [ { run: [sh, -c, "echo x > started; sleep 60"] } ]\n  after: [ { run: [sh, -c, "echo ran > after"], always: true } ]',
  );
  const child = world.startBkp('apply', '--yes');
  const end = ended(child);
  while (!existsSync(world.path('started'))) await setTimeout(20);
  expect((await planOf(world)).warnings).toEqual([]);
  child.kill('SIGKILL');
  expect((await end).signal).toBe('SIGKILL');
  const made = await planOf(world);
  expect(made.warnings.map(({ code, address }) => [code, address])).toEqual([['hook-owed', 'app']]);
  expect(made.warnings[0]?.message).toContain('echo ran > after');
  expect(outlineOf(made)).toEqual(['create app@nas first-snapshot', 'clean app@nas partial-upload']);
  world.write(
    'bkp.yaml',
    policyText('hooks:\n  after: [ { run: [sh, -c, "echo ran > after"], always: true } ]', '[nas]'),
  );
  expect((await applyTo(world)).exitCode).toBe(0);
  expect(existsSync(world.path('after'))).toBe(true);
  expect((await planOf(world)).warnings).toEqual([]);
});

const checks = (...lines: readonly string[]): string =>
  `checks:\n  db:\n${lines.map((line) => `    - ${line}`).join('\n')}`;

test('checks by SQL and by facts are kept with the snapshot; one that fails means no good snapshot', async () => {
  const world = await worldWith(
    checks(
      '{ sql: "SELECT count(*) FROM events", expect: ">= 3" }',
      '{ facts: tables.events, expect: "= 3" }',
      '{ sql: "SELECT text FROM events WHERE id = 1", expect: "= one" }',
    ),
  );
  expect((await applyTo(world)).exitCode).toBe(0);
  const [name = ''] = await goodIn(world);
  const manifest = world.json(`nas/manifests/${name.split(' ')[1]?.replace('@', '/')}.json`) as {
    targets: { db: { checks: readonly { check: string; value: unknown; ok: boolean }[] } };
  };
  expect(manifest.targets.db.checks.map(({ check, value, ok }) => [check, value, ok])).toEqual([
    ['sql: SELECT count(*) FROM events', 3, true],
    ['facts: tables.events', 3, true],
    ['sql: SELECT text FROM events WHERE id = 1', 'one', true],
  ]);
  world.sql('DELETE FROM events WHERE id > 1');
  const said = await world.bkp('backup', 'app');
  expect(said.code, said.err).toBe(7);
  expect(`${said.out}${said.err}`).toContain('sql: SELECT count(*) FROM events is 1, expected >= 3');
  expect(await goodIn(world)).toEqual([name]);
});

test('with a single target a failed check captures nothing at all', async () => {
  const world = await worldWith(checks('{ facts: tables.missing, expect: "> 0" }'));
  world.write('bkp.yaml', world.read('bkp.yaml').toString().replace('targets: [db, up]', 'targets: [db]'));
  const said = await world.bkp('apply', '--yes');
  expect(said.code, said.err).toBe(1);
  expect(`${said.out}${said.err}`).toContain('facts: tables.missing gives no value');
  expect([await goodIn(world), leftovers(world, 'nas')]).toEqual([[], []]);
});

test('`previous` is the last good snapshot’s value, also under the target’s earlier name', async () => {
  const world = await worldWith(checks('{ sql: "SELECT count(*) FROM events", expect: ">= previous * 0.9" }'));
  expect((await applyTo(world)).exitCode).toBe(0);
  world.sql("INSERT INTO events (text) VALUES ('four'), ('five'), ('six'), ('seven')");
  expect((await applyTo(world, { requested: ['app'] })).exitCode).toBe(0);
  world.sql('DELETE FROM events WHERE id > 4');
  const failed = await applyTo(world, { requested: ['app'] });
  expect(failed.exitCode).toBe(7);
  expect(failed.steps[0]?.message).toContain('is 4, expected >= previous * 0.9');
  const renamed = world
    .read('bkp.yaml')
    .toString()
    .replace('db: { type', 'main: { formerly: [db], type')
    .replace('targets: [db, up]', 'targets: [main, up]')
    .replace('  db:\n', '  main:\n');
  world.write('bkp.yaml', renamed);
  expect((await applyTo(world, { requested: ['app'] })).steps[0]?.message).toContain(
    'is 4, expected >= previous * 0.9',
  );
  world.sql("INSERT INTO events (text) VALUES ('a'), ('b'), ('c')");
  expect((await applyTo(world, { requested: ['app'] })).exitCode).toBe(0);
});

test.each([
  ['timeout: 10s', /no end after 10s/],
  ['idleTimeout: 10s', /no byte for 10s/],
])('a capture that hangs ends with its %s, and the other target is captured', async (limit, told) => {
  const world = await worldWith(limit);
  world.write(
    'bkp.yaml',
    world.read('bkp.yaml').toString().replace('path: data/app.db', 'path: data/app.db, busyTimeout: 5m'),
  );
  const holder = new DatabaseSync(world.path('data/app.db'));
  holder.exec('BEGIN EXCLUSIVE');
  try {
    const said = await world.bkp('apply', '--yes');
    expect(said.code, said.err).toBe(7);
    expect(`${said.out}${said.err}`).toMatch(told);
    expect(await goodIn(world)).toEqual([]);
  } finally {
    holder.exec('ROLLBACK');
    holder.close();
  }
  expect((await applyTo(world, { requested: ['app'] })).exitCode).toBe(0);
});
