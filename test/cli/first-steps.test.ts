import { execFileSync } from 'node:child_process';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it, onTestFinished } from 'vitest';
import { COMMANDS } from '../../src/commands/specs.ts';
import { makePlace, type Place } from './run-bkp.ts';
import { screen } from './screen.ts';

async function place(): Promise<Place> {
  const made = await makePlace();
  onTestFinished(() => made.remove());
  return made;
}

describe('from nothing to a snapshot', () => {
  it('takes init, validate, apply', async () => {
    const here = await place();
    const database = new DatabaseSync(here.path('app.db'));
    database.exec('CREATE TABLE t (x); INSERT INTO t VALUES (1)');
    database.close();
    const { stdout, stderr } = await here.bkp('init --name shop --target type=sqlite,path=app.db --repository backups');
    expect(stdout).toBe('wrote bkp.yaml and policy.schema.json\n');
    expect(stderr).toContain('next: bkp validate, then bkp apply --init-repositories');
    expect(await readFile(here.path('bkp.yaml'), 'utf8')).toMatch(/^# yaml-language-server: \$schema=/);
    await here.bkp('validate');
    await here.bkp('apply --yes --init-repositories');
    expect((await here.bkp('list')).stdout).toContain('created');
  });

  it('never overwrites a policy', async () => {
    const here = await place();
    await writeFile(here.path('bkp.yaml'), 'mine');
    const { stderr } = await here.bkp('init --target type=sqlite,path=app.db --repository backups', 4);
    expect(stderr).toBe('error: cannot write bkp.yaml: it is there already\nhint: name another file with -f\n');
    expect(await readFile(here.path('bkp.yaml'), 'utf8')).toBe('mine');
  });

  it('asks nobody in a pipe', async () => {
    const here = await place();
    const { stderr } = await here.bkp('init', 4);
    expect(stderr).toContain('this is not a terminal');
    await expect(stat(here.path('bkp.yaml'))).rejects.toThrow(/ENOENT/);
  });

  it('makes a repository once, and refuses a folder that holds something else', async () => {
    const here = await place();
    await here.bkp('init --target type=files,paths=/etc/hostname --repository backups');
    expect(screen(here, (await here.bkp('init --repository backups')).stdout)).toMatchInlineSnapshot(
      `"made repository backups (<folder>/backups), id <uuid>"`,
    );
    expect(screen(here, (await here.bkp('init --repository backups')).stdout)).toMatchInlineSnapshot(
      `"there already: repository backups (<folder>/backups), id <uuid>"`,
    );
    const { stderr } = await here.bkp('init --repository backup', 4);
    expect(stderr).toContain('did you mean "backups"?');
  });
});

describe('bkp schema', () => {
  it('prints a schema that editors understand', async () => {
    const here = await place();
    const { stdout } = await here.bkp('schema');
    expect(JSON.parse(stdout)).toMatchObject({ $schema: 'http://json-schema.org/draft-07/schema#', type: 'object' });
  });
});

describe('bkp completion', () => {
  it('completes commands, options and backups in bash', async () => {
    const here = await place();
    await mkdir(here.path('bin'));
    const { stdout } = await here.bkp('completion bash');
    await writeFile(here.path('complete.sh'), stdout);
    await writeFile(
      here.path('bkp.yaml'),
      'version: 1\nbackups:\n  shop:\n    targets: [db]\n  site:\n    targets: [db]\n',
    );
    const complete = (...words: readonly string[]): readonly string[] =>
      execFileSync(
        'bash',
        [
          '-c',
          'source ./complete.sh; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _bkp; printf "%s\\n" "${COMPREPLY[@]}"',
          'bash',
          ...words,
        ],
        { cwd: here.folder, encoding: 'utf8' },
      )
        .trim()
        .split('\n');
    expect(complete('bkp', 'pl')).toEqual(['plan']);
    expect(complete('bkp', '').length).toBeGreaterThanOrEqual(COMMANDS.length);
    expect(complete('bkp', 'plan', '--det')).toEqual(['--detailed-exitcode']);
    expect(complete('bkp', 'plan', '--format', '')).toEqual(['text', 'json', 'markdown', 'github']);
    expect(complete('bkp', 'backup', 's')).toEqual(['shop', 'site']);
  });

  it.each(['bash', 'zsh', 'fish'])('knows every command and option in %s', async (shell) => {
    const here = await place();
    const { stdout } = await here.bkp(`completion ${shell}`);
    for (const { name, options } of COMMANDS) {
      expect(stdout).toContain(name);
      for (const { flags } of options) expect(stdout).toContain(/--([a-z-]+)/.exec(flags)?.[1] ?? '');
    }
  });
});
