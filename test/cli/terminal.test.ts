import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { appliedProject, renewed, testProject, type Project } from './project.ts';
import { PROGRAM } from './run-bkp.ts';

const base = await appliedProject();
const fresh = await renewed(base);
const ESCAPE = '\u001B';

interface Session {
  readonly exitCode: number | null;
  /** Everything that came to the screen. */
  readonly screen: string;
}

/** Runs bkp in a pseudo terminal; `answers` are typed when what they answer appears. */
async function onTerminal(
  project: Project,
  args: string,
  answers: readonly (readonly [question: string, keys: string])[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<Session> {
  const size = env['NO_SIZE'] === undefined ? 'stty cols 120 rows 40; ' : '';
  const child = spawn('script', ['-qec', `${size}"${process.execPath}" "${PROGRAM}" ${args}`, '/dev/null'], {
    cwd: project.folder,
    env: { ...project.env, TERM: 'xterm-256color', ...env },
  });
  onTestFinished(() => void child.kill());
  let screen = '';
  const open = [...answers];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    screen += text;
    const [next] = open;
    if (next === undefined || !screen.includes(next[0])) return;
    open.shift();
    child.stdin.write(next[1]);
  });
  const [exitCode] = (await once(child, 'close')) as [number | null];
  return { exitCode, screen };
}

const times = (text: string, part: string): number => text.split(part).length - 1;

describe('on a terminal', () => {
  it('shows the plan once, asks once, and goes on after yes', async () => {
    const project = await testProject();
    const { exitCode, screen } = await onTerminal(project, 'apply --init-repositories', [['Apply 4 steps?', 'y']]);
    expect(screen).toContain('Applied');
    expect(exitCode).toBe(0);
    expect(times(screen, 'Plan: ')).toBe(1);
    expect(screen).toContain(`${ESCAPE}[32m`);
    expect(await project.ids()).toHaveLength(1);
  });

  it.each([
    ['no', 'n', 0],
    ['a bare Enter', '\r', 0],
    ['Ctrl-C', '\u0003', 130],
  ])('changes nothing after %s', async (_what, keys, expected) => {
    const project = await testProject();
    const { exitCode, screen } = await onTerminal(project, 'apply --init-repositories', [['Apply 4 steps?', keys]]);
    expect(exitCode).toBe(expected);
    expect(screen).toContain(expected === 0 ? 'Nothing was changed.' : 'cannot go on: the question was not answered');
    expect(await readdir(project.folder)).not.toContain('near');
  });

  it('does not ask with --yes, nor when there is nothing to do', async () => {
    const { exitCode, screen } = await onTerminal(base, 'apply');
    expect([exitCode, screen.includes('?')]).toEqual([0, false]);
    const project = await fresh();
    expect((await onTerminal(project, 'restore shop@latest --mode replace --yes')).exitCode).toBe(0);
  });

  it('shows what it asks about where it asks, also when the result goes elsewhere', async () => {
    const project = await fresh();
    project.sql('DELETE FROM events');
    const { exitCode, screen } = await onTerminal(
      project,
      'restore shop@latest --mode replace > result.txt',
      [['over what is there?', 'y']],
      { NO_SIZE: '1' },
    );
    expect(exitCode).toBe(0);
    expect(screen).toContain('2 destinations will be changed');
    expect(project.count('events')).toBe(500);
  });

  it('asks before it destroys', async () => {
    const project = await fresh();
    await project.bkp('backup shop');
    const [, oldest = ''] = await project.ids();
    await onTerminal(project, `destroy ${oldest}`, [['in near, far?', 'n']]);
    expect(await project.ids()).toHaveLength(2);
    await onTerminal(project, `destroy ${oldest}`, [['in near, far?', 'y']]);
    expect(await project.ids()).toHaveLength(1);
  });

  it('has colours, unless NO_COLOR or a dumb terminal says no', async () => {
    expect((await onTerminal(base, 'plan')).screen).toContain(`${ESCAPE}[`);
    expect((await onTerminal(base, 'list')).screen).toContain(`${ESCAPE}[1mID`);
    expect((await onTerminal(base, 'plan', [], { NO_COLOR: '1' })).screen).not.toContain(ESCAPE);
    expect((await onTerminal(base, 'plan', [], { TERM: 'dumb' })).screen).not.toContain(ESCAPE);
    expect((await onTerminal(base, 'plna', [], { NO_COLOR: '1' })).screen).not.toContain(ESCAPE);
    expect((await onTerminal(base, 'plan > plan.txt; cat plan.txt')).screen).not.toContain(ESCAPE);
  });

  it('draws progress and leaves the screen clean', async () => {
    const project = await fresh();
    // Bytes that do not compress, so that enough of them pass.
    project.sql(
      'CREATE TABLE noise (x); WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 80) INSERT INTO noise SELECT randomblob(100000) FROM n',
    );
    const { exitCode, screen } = await onTerminal(project, 'backup shop', [], { NO_COLOR: '1' });
    expect(exitCode).toBe(0);
    const CLEAR = `\r${ESCAPE}[2K`;
    expect(screen.split(CLEAR).some((part) => /^ +db [\d.]+ MiB/.test(part))).toBe(true);
    // Every line that stays was written on a cleared one.
    const lines = screen.split('\r\n').map((line) => line.split(CLEAR).at(-1) ?? '');
    expect(lines.filter((line) => /^ {2}captured {2}(?:db|tree) {2}|^Captured: /.test(line))).toHaveLength(3);
  });
});
