import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { applyTo, deepDamage, goodIn, leftovers, outlineOf, planOf } from './look.ts';
import { bkpUnprivileged, handOver } from './unprivileged.ts';
import { ended, newWorld, policyText, startIn, type World } from './world.ts';

const DAILY = 'schedule: "@daily"\nretention: { keepLast: 3 }\nverify: { every: 7d }';

async function worldWithOne(more: string = DAILY): Promise<World> {
  const world = newWorld(policyText(more));
  const { code, err } = await world.bkp('apply', '--yes', '--init-repositories');
  expect(code, err).toBe(0);
  return world;
}

test('a plan is stale once anything it rests on changed, and a run that only looked changes nothing', async () => {
  const world = await worldWithOne();
  const id = (await goodIn(world))[0]?.split(' ')[1] ?? '';
  world.write('bkp.yaml', policyText(DAILY.replace('keepLast: 3', 'keepLast: 1')));
  expect((await applyTo(world, { requested: ['app'], only: ['create', 'copy'] })).exitCode).toBe(0);
  const save = async (): Promise<void> => expect((await world.bkp('plan', '--out', 'plan.json')).code).toBe(0);
  await save();
  await world.bkp('status');
  await world.bkp('list');
  await planOf(world);
  expect((await world.bkp('protect', id, '--reason', 'audit')).code).toBe(0);
  expect((await world.bkp('apply', 'plan.json')).code).toBe(5);
  await save();
  expect((await world.bkp('unprotect', id)).code).toBe(0);
  expect((await world.bkp('apply', 'plan.json')).code).toBe(5);
  await save();
  const { code, out } = await world.bkp('apply', 'plan.json');
  expect(code, out).toBe(0);
  expect((await goodIn(world)).filter((name) => name.endsWith(id))).toEqual([]);
  expect((await world.bkp('apply', 'plan.json')).code).toBe(5);
});

test('capture and prune in jobs of their own come to what one job does', async () => {
  const world = newWorld(policyText(DAILY.replace('keepLast: 3', 'keepLast: 1')));
  expect((await world.bkp('apply', '--yes', '--init-repositories')).code).toBe(0);
  const capture = await applyTo(world, { requested: ['app'], only: ['create', 'copy', 'verify'] });
  expect(capture.exitCode).toBe(0);
  expect(new Set(capture.steps.map(({ step }) => step.action))).toEqual(new Set(['create', 'copy', 'verify']));
  expect(await goodIn(world)).toHaveLength(4);
  const prune = await world.bkp('apply', '--only', 'prune,clean', '--yes');
  expect(prune.code, prune.err).toBe(0);
  expect(await goodIn(world)).toHaveLength(2);
  expect(outlineOf(await planOf(world))).toEqual([]);
});

test('a prune job alone never lets go what only a capture would replace', async () => {
  const world = newWorld(policyText(DAILY.replace('keepLast: 3', 'keepLast: 1')));
  expect((await world.bkp('apply', '--yes', '--init-repositories')).code).toBe(0);
  const before = await goodIn(world);
  const prune = await applyTo(world, { requested: ['app'], only: ['prune'] });
  expect([prune.exitCode, prune.steps]).toEqual([0, []]);
  expect(await goodIn(world)).toEqual(before);
});

test('a repository that may only be read can be planned, listed, shown, verified and restored from; apply says why not', async () => {
  const world = await worldWithOne();
  const before = [...world.files('nas'), ...world.files('off')];
  handOver(world);
  for (const name of ['nas', 'off']) execFileSync('chmod', ['-R', 'a-w', '--', world.path(name)]);
  const rows = world.rows();
  for (const args of [
    ['plan'],
    ['list'],
    ['show', 'app@latest'],
    ['status'],
    ['verify', '--deep'],
    ['download', 'app@latest', 'out', '--target', 'db'],
  ]) {
    const { code, err } = await bkpUnprivileged(world, ...args);
    expect(code, `${args.join(' ')}: ${err}`).toBe(0);
  }
  const restored = await bkpUnprivileged(
    world,
    'restore',
    'app@latest',
    '--target',
    'db',
    '--mode',
    'replace',
    '--yes',
  );
  expect(restored.code, restored.err).toBe(0);
  expect(restored.err).toContain('no record of this restore is kept');
  expect(world.rows()).toEqual(rows);

  const applied = await bkpUnprivileged(world, 'backup', 'app');
  expect(applied.code).toBe(1);
  expect(`${applied.out}${applied.err}`).toMatch(/cannot (write|create|make).*(read-only|permission|no right)/i);
  expect([...world.files('nas'), ...world.files('off')]).toEqual(before);
});

/** Starts the program where no file may grow beyond so many blocks of 512 or 1024 bytes. */
const limited = (world: World, blocks: number, ...args: readonly string[]) =>
  ended(
    startIn(world, ['bash', '-c', `ulimit -f ${blocks}; exec "$0" "$@"`, process.execPath, world.program, ...args]),
  );

test('an artifact that does not fit leaves nothing visible, earlier snapshots intact, and says so', async () => {
  const world = await worldWithOne();
  const before = await goodIn(world);
  writeFileSync(world.path('data', 'up', 'large.bin'), randomBytes(3_000_000));
  const said = await limited(world, 1024, 'backup', 'app');
  // The database fits, the files do not: a partial snapshot, exit 7.
  expect(said.code, said.err).toBe(7);
  expect(`${said.out}${said.err}`).toMatch(/up: .*larger than its file system or a limit allows/);
  expect(await goodIn(world)).toEqual(before);
  expect(await deepDamage(world)).toEqual([]);
  for (const repository of ['nas', 'off']) expect(leftovers(world, repository)).toEqual([]);
  expect((await applyTo(world, { requested: ['app'] })).exitCode).toBe(0);
  expect(outlineOf(await planOf(world))).toEqual([]);
});

test('a copy that does not fit fails, is not visible, and goes on later from what arrived', async () => {
  const world = await worldWithOne();
  writeFileSync(world.path('data', 'up', 'large.bin'), randomBytes(3_000_000));
  expect((await applyTo(world, { requested: ['app'], only: ['create'] })).exitCode).toBe(0);
  const said = await limited(world, 1024, 'apply', '--yes');
  expect(said.code, said.err).toBe(7);
  expect((await goodIn(world)).filter((name) => name.startsWith('off'))).toHaveLength(1);
  expect(leftovers(world, 'nas')).toEqual([]);
  const arrived = leftovers(world, 'off').filter((file) => file.endsWith('.zst'));
  expect(arrived).toHaveLength(1);
  const before = statSync(world.path('off', arrived[0] ?? ''));
  expect(outlineOf(await planOf(world))).toEqual(['copy app@off replica-missing', 'verify app@off verify-due']);
  expect((await applyTo(world)).exitCode).toBe(0);
  expect((await goodIn(world)).filter((name) => name.startsWith('off'))).toHaveLength(2);
  expect(statSync(world.path('off', arrived[0] ?? ''))).toMatchObject({ ino: before.ino, mtimeMs: before.mtimeMs });
  expect(await deepDamage(world)).toEqual([]);
});

if (process.platform === 'linux') {
  test('a disk that fills up in the middle of an apply harms nothing that is there', async () => {
    const world = newWorld(policyText(DAILY));
    mkdirSync(world.path('nas'));
    chmodSync(world.path('nas'), 0o700);
    writeFileSync(world.path('data', 'up', 'large.bin'), randomBytes(1_200_000));
    // A mount of our own, in a namespace that goes with the shell; what is in it is looked at before it goes.
    const bkp = '"$1" "$2"';
    const script = [
      'mount -t tmpfs -o size=3m none nas || exit 99',
      `${bkp} init --repository nas && ${bkp} init --repository off || exit 98`,
      `${bkp} apply --yes || exit 97`,
      `${bkp} backup app || exit 96`,
      `${bkp} backup app; echo "third $?"`,
      `${bkp} backup app; echo "fourth $?"`,
      `${bkp} list --format plain; echo "list $?"`,
      `${bkp} verify --deep; echo "verify $?"`,
      'find nas/.tmp -type f | wc -l',
      `rm data/up/large.bin; ${bkp} backup app; echo "fifth $?"`,
      `${bkp} status --format json; echo "status $?"`,
    ].join('\n');
    const args = ['unshare', '--map-root-user', '--mount', 'sh', '-c', script, 'sh', process.execPath, world.program];
    const { out, err, code } = await ended(startIn(world, args));
    expect(code, err).toBe(0);
    expect(`${out}${err}`).toMatch(/no space left/);
    expect(out).toMatch(/^third [17]$/m);
    expect(out).toMatch(/^fourth [17]$/m);
    expect(out).toMatch(/^verify 0$/m);
    expect(out).not.toContain('DAMAGED');
    expect(out, err).toMatch(/^fifth 0$/m);
  });
}
