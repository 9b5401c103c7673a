import { randomBytes } from 'node:crypto';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { copyOf, makeProject, POLICY, type Project } from '../cli/project.ts';
import { jsonOf, type Run } from '../cli/run-bkp.ts';
import { HOOKS, makeHeld, type HeldProject } from './held-project.ts';
import { processesWith } from './processes.ts';

const WITH_HOOKS = `${POLICY}${HOOKS}`;

/** Both repositories made, nothing captured yet. */
const empty = await makeProject(WITH_HOOKS);
await empty.bkp('init --repository near');
await empty.bkp('init --repository far');
/** One snapshot of 500 events. Archives know where they were captured, so this one is damaged again and again. */
const applied = await makeHeld(await makeProject());
await applied.bkp('apply --yes --init-repositories');
afterAll(() => Promise.all([empty.remove(), applied.remove()]));

const fresh = async (): Promise<HeldProject> => makeHeld(await copyOf(empty));
const childrenOf = (project: Project): readonly string[] =>
  processesWith(project.env['HOME'] ?? '').map(({ argv }) => argv);

async function expectInterrupted(project: Project, ended: Promise<Run>): Promise<Run> {
  const run = await ended;
  expect(run.exitCode, `${run.stdout}\n${run.stderr}`).toBe(130);
  expect(childrenOf(project)).toEqual([]);
  expect(await readdir(project.path('.tmp'))).toEqual([]);
  for (const repository of ['near', 'far']) expect(await leaseState(project, repository)).not.toBe('held');
  return run;
}

async function leaseState(project: Project, repository: string): Promise<string | undefined> {
  const names = await readdir(project.path(repository, 'locks')).catch(() => []);
  const newest = names.toSorted((a, b) => Number(a.split('.')[1]) - Number(b.split('.')[1])).at(-1);
  if (newest === undefined) return undefined;
  return (JSON.parse(await readFile(project.path(repository, 'locks', newest), 'utf8')) as { state: string }).state;
}

const statusesOf = async (project: Project): Promise<readonly string[]> => {
  const { snapshots } = jsonOf(await project.bkp('list --format json')) as {
    snapshots: readonly { status: string; repository: string }[];
  };
  return snapshots.map(({ status, repository }) => `${status}@${repository}`).toSorted();
};

/** What a run said of its end: while Node.js goes down it hears no signal any more, and one ends the process all the same. */
function toldExitCode(said: string): number | null {
  const { type, exitCode } = JSON.parse(said.trim().split('\n').at(-1) ?? '') as { type: string; exitCode: number };
  return type === 'result' ? exitCode : null;
}

/** The next run waits for nobody and makes everything true. */
async function expectNextRunWorks(project: HeldProject): Promise<void> {
  await project.release();
  await project.bkp('apply --yes --lock-timeout 0s');
  expect(await statusesOf(project)).toEqual(['created@far', 'created@near']);
  const { stdout } = await project.bkp('plan --detailed-exitcode');
  expect(stdout).not.toContain('Note:');
}

describe('a signal to apply', () => {
  it.each([
    ['SIGINT', 'before', ['before', 'always', 'always ended']],
    ['SIGTERM', 'tar', ['before', 'before ended', 'always', 'always ended']],
    ['SIGINT', 'zstd', ['before', 'before ended', 'always', 'always ended']],
  ] as const)('%s while %s works: hooks run, nothing is left', async (signal, held, log) => {
    const project = await fresh();
    const run = await project.holdAt('apply --yes', held);
    run.kill(signal);
    const { stderr } = await expectInterrupted(project, run.ended);
    expect(stderr).toContain(`${signal} received`);
    expect(await project.log()).toEqual(log);
    expect(await statusesOf(project)).toEqual([]);
    expect(await readdir(project.path('near'), { recursive: true })).not.toContainEqual(
      expect.stringMatching(/\.zst|begin\.json/),
    );
    await expectNextRunWorks(project);
  });

  it('lets an after hook that must always run come to its end', async () => {
    const project = await fresh();
    const run = await project.holdAt('apply --yes --format json', 'always');
    run.kill('SIGTERM');
    await writeFile(project.path('go'), '');
    const { stdout } = await expectInterrupted(project, run.ended);
    expect(JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '')).toMatchObject({ exitCode: 130 });
    expect((await project.log()).at(-1)).toBe('always ended');
    expect(await statusesOf(project)).toEqual([]);
    await expectNextRunWorks(project);
  });

  it('stops programs that do not listen', async () => {
    const project = await fresh();
    await writeFile(
      project.path('bin', 'tar'),
      `#!/bin/sh\n[ "$1" = --version ] && exec /usr/bin/env PATH=${project.env['PATH'] ?? ''} tar "$@"\ntrap '' TERM\ntouch "${project.folder}/at-tar"\nsleep 600\n`,
    );
    const run = await project.holdAt('apply --yes', 'tar');
    run.kill('SIGINT');
    await expectInterrupted(project, run.ended);
    await expectNextRunWorks(project);
  });

  it('ends it at once when it is the second', async () => {
    const project = await fresh();
    await project.hold('always');
    const run = await project.holdAt('apply --yes', 'before');
    run.kill('SIGINT');
    await project.waits('always');
    run.kill('SIGINT');
    expect((await run.ended).exitCode).toBe(130);
    await expect.poll(() => childrenOf(project)).toEqual([]);
    expect(await project.log()).not.toContain('always ended');
    const { stdout } = await project.bkp('plan');
    expect(stdout).toContain('died before its after hook: ./hook always');
    await expectNextRunWorks(project);
    expect(await readdir(project.path('.tmp'))).toEqual([]);
  });

  it.each([
    ['copy', 'SIGINT'],
    ['verify', 'SIGTERM'],
  ] as const)('during %s, %s: what is whole stays', async (action, signal) => {
    const project = await fresh();
    await writeFile(project.path('tree', 'large'), randomBytes(48 * 1024 * 1024));
    const run = project.startWithTools('apply --yes --format json');
    await expect
      .poll(run.said, { interval: 5, timeout: 30_000 })
      .toMatch(new RegExp(`"type":"step-started","stepId":"s\\d","action":"${action}"`));
    run.kill(signal);
    await expectInterrupted(project, run.ended);
    const statuses = await statusesOf(project);
    expect(statuses).toContain('created@near');
    // What a copy brought so far waits for the next try.
    const unfinished = action === 'copy' && !statuses.includes('created@far') ? ['incomplete@far'] : [];
    expect(statuses.filter((status) => !status.startsWith('created'))).toEqual(unfinished);
    await expectNextRunWorks(project);
  });
});

/** What is at the destinations, and every name beside them. */
async function look(project: Project): Promise<{ readonly state: string; readonly names: readonly string[] }> {
  const files = await readdir(project.path('tree'), { recursive: true });
  const text = await readFile(project.path('tree', 'a.txt'), 'utf8');
  const entries = await readdir(project.folder);
  const mine = /^(?:\..*|app\.db-(?:wal|shm)|(?:at|hold)-.*|bin|hook|log)$/;
  const events = project.count('events');
  return {
    state: JSON.stringify([events, project.count('users'), files.toSorted(), text]),
    names: entries.filter((name) => !mine.test(name)).toSorted(),
  };
}

async function damaged(): Promise<{
  readonly project: HeldProject;
  readonly before: Awaited<ReturnType<typeof look>>;
}> {
  await applied.release();
  applied.sql('DELETE FROM events WHERE id > 10');
  await writeFile(applied.path('tree', 'a.txt'), 'spoiled\n');
  await rm(applied.path('tree', 'sub'), { recursive: true, force: true });
  return { project: applied, before: await look(applied) };
}

describe('a signal to restore', () => {
  it.each([
    ['SIGINT', 'replace', 'zstd', 'db'],
    ['SIGTERM', 'merge', 'zstd', 'db'],
    ['SIGINT', 'replace', 'zstd', 'tree'],
    ['SIGTERM', 'replace', 'tar', 'tree'],
    ['SIGINT', 'merge', 'tar', 'tree'],
  ] as const)('%s, mode %s, while %s reads %s: all is as it was', async (signal, mode, held, target) => {
    const { project, before } = await damaged();
    const args = `restore shop@latest --target ${target} --mode ${mode} --yes --no-safety`;
    const run = await project.holdAt(args, held);
    run.kill(signal);
    await expectInterrupted(project, run.ended);
    expect(await look(project)).toEqual(before);
    await project.release();
    await project.bkp(args);
    expect((await look(project)).state).not.toBe(before.state);
    await project.bkp('plan --detailed-exitcode');
  });

  it('while a merge waits for a locked database: not a row has come back', async () => {
    const { project } = await damaged();
    const other = new DatabaseSync(project.path('app.db'));
    other.exec('BEGIN IMMEDIATE');
    const run = project.startWithTools('restore shop@latest --target db --mode merge --yes --no-safety');
    await expect.poll(() => childrenOf(project).some((argv) => argv.includes('job-main'))).toBe(true);
    run.kill('SIGTERM');
    await expectInterrupted(project, run.ended);
    other.exec('ROLLBACK');
    other.close();
    expect(project.count('events')).toBe(10);
    await project.bkp('restore shop@latest --target db --mode merge --yes --no-safety');
    expect(project.count('events')).toBe(500);
  });

  it.each([
    ['db', 'replace'],
    ['tree', 'replace'],
    ['db', 'merge'],
  ] as const)('at any moment of %s, mode %s: as it was, or restored', async (target, mode) => {
    const args = `restore shop@latest --target ${target} --mode ${mode} --yes --no-safety`;
    const { project, before } = await damaged();
    await project.bkp(args);
    const after = await look(project);
    for (const delayMs of [0, 70, 160]) {
      const { names } = (await damaged()).before;
      const run = project.startWithTools(`${args} --format json`);
      await expect.poll(run.said, { interval: 5, timeout: 30_000 }).toContain('step-started');
      await sleep(delayMs);
      run.kill('SIGINT');
      const exitCode = (await run.ended).exitCode ?? toldExitCode(run.said());
      const found = await look(project);
      expect([0, 130]).toContain(exitCode);
      expect(childrenOf(project)).toEqual([]);
      expect([before.state, after.state]).toContain(found.state);
      if (found.state === before.state) expect([exitCode, found.names]).toEqual([130, names]);
      await project.bkp('plan --detailed-exitcode');
    }
  });
});
