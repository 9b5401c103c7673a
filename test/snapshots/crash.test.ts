import { execFile } from 'node:child_process';
import { cpSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openDirectoryRepository } from '../../src/repositories/directory.ts';
import type { Repository } from '../../src/repositories/repository.ts';
import { snapshotFolder } from '../../src/snapshots/keys.ts';
import { readManifest } from '../../src/snapshots/read-snapshot.ts';
import { cleanRemains } from '../../src/snapshots/remove-remains.ts';
import { isGood } from '../../src/snapshots/standing.ts';
import { systemClock } from '../../src/system/clock.ts';
import { describeHost } from '../../src/system/host.ts';
import { testFolder } from '../test-context.ts';
import { aManifest, idAt, inventoryOf, keysOf, storeSnapshot, takeLease, testRunner } from './fixtures.ts';

const child = new URL('crash-child.ts', import.meta.url).pathname;
const runner = { ...testRunner(), clock: systemClock, host: describeHost() };
const open = (root: string): Repository => openDirectoryRepository({ path: root }, runner);

interface Run {
  readonly signal: string | null;
  readonly said: ReadonlyMap<string, string>;
}

const runChild = (root: string, killAt: number): Promise<Run> =>
  new Promise((resolve, reject) => {
    execFile(process.execPath, [child, root, String(killAt)], (error, stdout, stderr) => {
      if (error !== null && error.signal !== 'SIGKILL') return reject(new Error(stderr));
      const said = stdout.split('\n').map((line) => line.split(' '));
      return resolve({
        signal: error?.signal ?? null,
        said: new Map(said.map(([word = '', what = '']) => [word, what])),
      });
    });
  });

/** A repository with two good snapshots. */
async function prepare(root: string): Promise<readonly string[]> {
  const repository = open(root);
  await inventoryOf(repository, runner);
  const lease = await takeLease(repository, runner);
  const ids = [idAt('2026-11-18T02:00:00Z'), idAt('2026-11-19T02:00:00Z')];
  for (const id of ids) await storeSnapshot(repository, aManifest(id), lease, runner);
  await lease.release();
  return ids;
}

/** Good snapshots, after a look that every byte of them is there. */
async function restorable(repository: Repository): Promise<readonly string[]> {
  const { snapshots, unreadable } = await inventoryOf(repository, runner);
  expect(unreadable).toEqual([]);
  const good = snapshots.filter(isGood);
  for (const { backup, id } of good) {
    const manifest = await readManifest(repository, { backup, id });
    if (manifest?.ok !== true) throw new Error(`${id} has no manifest`);
    for (const key of keysOf(manifest.value)) {
      expect((await repository.read(snapshotFolder(backup, id) + key)).toString()).toBe('content');
    }
  }
  return good.map(({ id }) => id);
}

async function checkAfterCrash(
  root: string,
  { said }: Run,
  [oldest = '', middle = '']: readonly string[],
): Promise<void> {
  const repository = open(root);
  const good = await restorable(repository);
  expect(good).toContain(middle);
  if (!said.has('releasing')) expect(good).toContain(oldest);
  if (said.has('released')) expect(good).not.toContain(oldest);
  const committed = said.get('committed');
  if (committed !== undefined) expect(good).toContain(committed);

  const { remains } = await inventoryOf(repository, runner);
  expect(remains.map(({ kind }) => kind)).not.toContain('unknown');
  expect(remains.filter(({ inProgress }) => inProgress)).toEqual([]);
  const lease = await takeLease(repository, runner);
  for (const { backup, id } of remains) {
    expect(await cleanRemains(repository, { backup, id, policyNames: ['acme'] }, lease, runner)).toBe(true);
  }
  await lease.release();
  await repository.sweep();
  expect(await restorable(repository)).toEqual(good);
  expect((await inventoryOf(repository, runner)).remains).toEqual([]);
  expect(readdirSync(join(root, '.tmp'))).toEqual([]);
  const kept = new Set((await inventoryOf(repository, runner)).snapshots.map(({ id }) => id));
  for (const key of await repository.list('snapshots/', 'deep')) expect(kept).toContain(key.split('/')[2]);
}

test('killed at any file system step, a run loses no snapshot, shows no bad one, and leaves what can be cleaned', async () => {
  const folder = await testFolder();
  const template = join(folder, 'template');
  const ids = await prepare(template);
  const copyTo = (name: string): string => {
    const root = join(folder, name);
    cpSync(template, root, { recursive: true });
    return root;
  };
  const whole = await runChild(copyTo('whole'), 0);
  expect(whole.signal).toBeNull();
  const total = Number(whole.said.get('steps'));
  expect(total).toBeGreaterThan(60);
  const crashAt = async (step: number): Promise<void> => {
    const root = copyTo(`step-${step}`);
    const run = await runChild(root, step);
    expect(run.signal).toBe('SIGKILL');
    await checkAfterCrash(root, run, ids);
    if (step % 10 === 0) {
      const before = await restorable(open(root));
      await checkAfterCrash(root, await runChild(root, step), [before[0] ?? '', before.at(-1) ?? '']);
    }
    rmSync(root, { recursive: true });
  };
  const steps = Array.from({ length: total }, (_, index) => index + 1);
  await Promise.all(
    [0, 1].map(async (worker) => {
      for (const step of steps.filter((one) => one % 2 === worker)) await crashAt(step);
    }),
  );
}, 180_000);
