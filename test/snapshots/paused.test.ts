import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { openDirectoryRepository } from '../../src/repositories/directory.ts';
import { cleanRemains } from '../../src/snapshots/remove-remains.ts';
import { isGood } from '../../src/snapshots/standing.ts';
import { systemClock } from '../../src/system/clock.ts';
import { describeHost } from '../../src/system/host.ts';
import { testFolder } from '../test-context.ts';
import { aManifest, idAt, inventoryOf, storeSnapshot, takeLease, testRunner } from './fixtures.ts';

const child = new URL('paused-child.ts', import.meta.url).pathname;

interface Paused {
  /** Gives one step and waits for how it ended. */
  readonly ask: (step: string) => Promise<string>;
  readonly signal: (name: NodeJS.Signals) => void;
}

async function startPaused(args: readonly string[]): Promise<Paused> {
  const running = spawn(process.execPath, [child, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(() => {
    running.kill('SIGKILL');
  });
  const lines = createInterface({ input: running.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<string> => (await lines.next()).value ?? 'ended';
  expect(await next()).toBe('ready');
  return {
    ask: (step) => {
      running.stdin.write(`${step}\n`);
      return next();
    },
    signal: (name) => running.kill(name),
  };
}

test('a run that is stopped past its lease loses nothing and removes nothing wrongly', async () => {
  const root = await testFolder();
  const runner = { ...testRunner(), clock: systemClock, host: describeHost() };
  const repository = openDirectoryRepository({ path: root }, runner);
  await inventoryOf(repository, runner);
  const [first, paused, taken] = ['2026-11-18', '2026-11-19', '2026-11-20'].map((day) => idAt(`${day}T02:00:00Z`));
  const setUp = await takeLease(repository, runner);
  await storeSnapshot(repository, aManifest(first ?? ''), setUp, runner);
  await setUp.release();

  const other = await startPaused([root, '900', paused ?? '', first ?? '']);
  expect(await other.ask('hold')).toBe('hold done');
  other.signal('SIGSTOP');
  const lease = await takeLease(repository, runner, { waitMs: 50_000, pollMs: 50 });
  await storeSnapshot(repository, aManifest(taken ?? ''), lease, runner);

  other.signal('SIGCONT');
  for (const step of ['hold', 'mark', 'release', 'commit']) expect(await other.ask(step)).toBe(`${step} lock`);

  const before = await inventoryOf(repository, runner);
  expect(before.snapshots.filter(isGood).map(({ id }) => id)).toEqual([first, taken]);
  expect(before.remains).toMatchObject([{ id: paused, kind: 'begun', inProgress: false }]);
  await cleanRemains(repository, { backup: 'kong', id: paused ?? '', policyNames: ['acme'] }, lease, runner);
  await lease.release();
  expect(await other.ask('commit')).toBe('commit lock');
  const after = await inventoryOf(repository, runner);
  expect(after.remains).toEqual([]);
  expect(after.snapshots.map(({ id }) => id)).toEqual([first, taken]);
});
