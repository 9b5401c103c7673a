import { chmod, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { appliedProject, POLICY, renewed, type Project } from './project.ts';
import { linesOf, outcomeOf, type Run } from './run-bkp.ts';
import { screen } from './screen.ts';

const base = await appliedProject(
  POLICY.replace(
    '    verify:',
    `    hooks:
      before: [ { run: [touch, stopped] } ]
      after:
        - { run: [touch, on-success] }
        - { run: [touch, started-again], always: true }
    verify:`,
  ),
);
const fresh = await renewed(base);

/** Puts a `tar` before the real one that says its process id and never ends. */
async function slowTar(project: Project): Promise<Readonly<Record<string, string>>> {
  const real = execFileSync('sh', ['-c', 'command -v tar'], { encoding: 'utf8' }).trim();
  await mkdir(project.path('bin'));
  await writeFile(
    project.path('bin', 'tar'),
    `#!/bin/sh\ncase "$*" in *--version*) exec ${real} "$@";; esac\necho $$ > ${project.path('tar.pid')}\nexec sleep 600\n`,
  );
  await chmod(project.path('bin', 'tar'), 0o755);
  return { PATH: `${project.path('bin')}:${project.env['PATH'] ?? ''}` };
}

/** Runs bkp until its tar is under way, sends a signal, and waits for the end of both. */
async function interrupt(project: Project, args: readonly string[], signal: NodeJS.Signals): Promise<Run> {
  const child = project.start(args, { env: await slowTar(project) });
  const outcome = outcomeOf(child);
  const read = (): Promise<string> => readFile(project.path('tar.pid'), 'utf8').catch(() => '');
  await expect.poll(read, { timeout: 30_000 }).toMatch(/^\d+\n$/);
  const pid = Number(await read());
  child.kill(signal);
  const run = await outcome;
  expect(() => process.kill(pid, 0)).toThrow(/ESRCH/);
  return run;
}

describe('a signal in the middle of a capture', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('%s ends it cleanly', async (signal) => {
    const project = await fresh();
    const before = await project.ids();
    for (const file of ['stopped', 'on-success', 'started-again']) await rm(project.path(file), { force: true });
    const { exitCode, stdout, stderr } = await interrupt(project, ['backup', 'shop'], signal);
    expect(exitCode).toBe(130);
    const captured = /^ {2}captured {2}db.*\n/m;
    expect(screen(project, stderr).replace(captured, '').replaceAll(signal, '<signal>')).toMatchInlineSnapshot(`
      "start  create shop@near
        hook  before: touch stopped
        hook  after: touch started-again
      failed  create shop@near  cannot go on: <signal> received
      not-started copy shop@far  interrupted before it began
      not-started verify shop@near  interrupted before it began
      not-started verify shop@far  interrupted before it began"
    `);
    expect(screen(project, stdout).replaceAll(signal, '<signal>')).toMatchInlineSnapshot(`
      "  failed  create shop@near: cannot go on: <signal> received
        not-started  copy shop@far: interrupted before it began
        not-started  verify shop@near: interrupted before it began
        not-started  verify shop@far: interrupted before it began
      Not captured: 0 done, 1 failed, 3 not started of 4 steps."
    `);
    // What was stopped was started again; what is for successes was not run.
    expect(await readdir(project.folder)).toEqual(expect.arrayContaining(['stopped', 'started-again']));
    expect(await readdir(project.folder)).not.toContain('on-success');
    // Nothing half-made, no lease, nothing owed.
    expect(await project.ids()).toEqual(before);
    expect((await project.bkp('unlock shop --yes')).stdout).toBe('Nobody holds the lease of shop.\n');
    await project.bkp('plan --detailed-exitcode');
    expect((await readdir(project.env['TMPDIR'] ?? '')).filter((name) => name.startsWith('bkp-'))).toEqual([]);
    await project.bkp('backup shop');
  });

  it('ends NDJSON with the result, which says what was not begun', async () => {
    const project = await fresh();
    const run = await interrupt(project, ['backup', 'shop', '--format', 'json'], 'SIGINT');
    expect(run.exitCode).toBe(130);
    expect(linesOf(run).at(-1)).toMatchObject({
      type: 'result',
      exitCode: 130,
      steps: [{ action: 'create', outcome: 'failed' }, { action: 'copy', outcome: 'not-started' }, {}, {}],
    });
  });
});

describe('a signal in the middle of a restore', () => {
  it('leaves the destination as it was', async () => {
    const project = await fresh();
    await writeFile(project.path('tree', 'a.txt'), 'changed');
    project.sql('DELETE FROM events');
    const { exitCode, stderr } = await interrupt(
      project,
      ['restore', 'shop@latest', '--target', 'tree', '--mode', 'replace', '--yes'],
      'SIGINT',
    );
    expect(exitCode).toBe(130);
    expect(stderr).toContain('SIGINT');
    expect(await readFile(project.path('tree', 'a.txt'), 'utf8')).toBe('changed');
    await project.bkp('restore shop@latest --mode replace --yes');
    expect(await readFile(project.path('tree', 'a.txt'), 'utf8')).toBe('first\n');
    expect(project.count('events')).toBe(500);
  });
});
