import { execFile } from 'node:child_process';
import { cpSync, readdirSync, rmSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fileSteps, type FileSteps } from '../../src/repositories/file-steps.ts';
import { openDirectoryRepository } from '../../src/repositories/directory.ts';
import type { Repository } from '../../src/repositories/repository.ts';
import { snapshotFolder } from '../../src/snapshots/keys.ts';
import { readManifest } from '../../src/snapshots/read-snapshot.ts';
import { cleanRemains } from '../../src/snapshots/remove-remains.ts';
import { isGood } from '../../src/snapshots/standing.ts';
import { systemClock } from '../../src/system/clock.ts';
import { describeHost } from '../../src/system/host.ts';
import { testFolder } from '../test-context.ts';
import { crashScenario } from './crash-scenario.ts';
import { aManifest, idAt, inventoryOf, keysOf, storeSnapshot, takeLease, testRunner } from './fixtures.ts';

const child = new URL('crash-child.ts', import.meta.url).pathname;
const DEAD = 4_194_304;
const machine = describeHost();
const host = { ...machine, isAlive: (pid: number) => pid !== DEAD && machine.isAlive(pid) };
const runner = { ...testRunner(), clock: systemClock, host };
const open = (root: string): Repository => openDirectoryRepository({ path: root }, runner);

interface Run {
  /** What was acknowledged before the end. */
  readonly said: ReadonlyMap<string, string>;
  readonly steps: number;
}

const saidBy = (lines: readonly string[]): Run['said'] =>
  new Map(lines.map((line) => line.split(' ')).map(([word = '', what = '']) => [word, what]));

/** A run in a process of its own, killed right before the given step. */
const killChild = (root: string, killAt: number): Promise<Run> =>
  new Promise((resolve, reject) => {
    execFile(process.execPath, [child, root, String(killAt)], (error, stdout, stderr) => {
      if (error?.signal !== 'SIGKILL') return reject(new Error(`not killed: ${stderr}`));
      return resolve({ said: saidBy(stdout.split('\n')), steps: killAt });
    });
  });

/** The same without a process: from the given step on nothing happens any more, and its process id is a dead one. */
async function stopAt(root: string, step: number): Promise<Run> {
  const lines: string[] = [];
  const host = { ...runner.host, pid: DEAD };
  let steps = 0;
  const files: FileHandle[] = [];
  const createFile: FileSteps['createFile'] = async (path) => {
    const file = await fileSteps.createFile(path);
    files.push(file);
    return file;
  };
  await new Promise<void>((resolve, reject) => {
    crashScenario(
      root,
      { ...runner, host },
      async (_, number) => {
        steps = number;
        if (number < step) return;
        resolve();
        await new Promise(() => undefined);
      },
      (line) => lines.push(line),
      { ...fileSteps, createFile },
    ).then(resolve, reject);
  });
  // As the system does for a process that ends.
  for (const file of files) await file.close();
  return { said: saidBy(lines), steps };
}

interface Prepared {
  readonly ids: readonly string[];
  /** Copies the repository, which has two good snapshots. */
  readonly copyTo: (name: string) => string;
}

async function prepared(): Promise<Prepared> {
  const folder = await testFolder();
  const template = join(folder, 'template');
  const ids = await prepare(template);
  const copyTo = (name: string): string => {
    const root = join(folder, name);
    cpSync(template, root, { recursive: true });
    return root;
  };
  return { ids, copyTo };
}

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

test('stopped at any file system step, a run loses no snapshot, shows no bad one, and leaves what can be cleaned', async () => {
  const { ids, copyTo } = await prepared();
  const { steps } = await stopAt(copyTo('whole'), Infinity);
  expect(steps).toBeGreaterThan(60);
  for (let step = 1; step <= steps; step++) {
    const root = copyTo(`step-${step}`);
    await checkAfterCrash(root, await stopAt(root, step), ids);
    const before = await restorable(open(root));
    await checkAfterCrash(root, await stopAt(root, step), [before[0] ?? '', before.at(-1) ?? '']);
    rmSync(root, { recursive: true });
  }
});

test('the same when the process is really killed', async () => {
  const { ids, copyTo } = await prepared();
  const { steps } = await stopAt(copyTo('whole'), Infinity);
  for (let step = 1; step <= steps; step += 7) {
    const root = copyTo(`step-${step}`);
    await checkAfterCrash(root, await killChild(root, step), ids);
  }
});
