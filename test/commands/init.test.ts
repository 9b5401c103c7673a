import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { init, type InitOptions } from '../../src/commands/init.ts';
import { loadPolicy } from '../../src/policy/load.ts';
import { nameFrom } from '../../src/policy/first-policy.ts';
import { systemPolicyFiles } from '../../src/system/policy-files.ts';
import { recordingTerminal } from './recording-terminal.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bkp-init-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const run = (options: Partial<InitOptions>): Promise<number> =>
  init(
    {
      path: join(folder, 'bkp.yaml'),
      name: 'acme',
      targets: ['type=sqlite,path=data/app.db'],
      repositories: ['backups'],
      ...options,
    },
    recordingTerminal(),
  );

describe('bkp init', () => {
  it('writes a policy with a modeline that passes validation', async () => {
    expect(
      await run({
        targets: ['type=sqlite,path=data/app.db', 'name=conf,type=files,paths=/etc/a,/etc/b: c'],
        repositories: ['backups', 'name=off-site,type=directory,path=/mnt/b'],
      }),
    ).toBe(0);
    const path = join(folder, 'bkp.yaml');
    expect(readFileSync(path, 'utf8')).toMatch(/^# yaml-language-server: \$schema=\.\/policy\.schema\.json/);
    const { policy } = await loadPolicy({ path, files: systemPolicyFiles(async () => '') });
    expect(policy.name).toBe('acme');
    expect(policy.targets['app']?.config).toEqual({ type: 'sqlite', path: join(folder, 'data/app.db') });
    expect(policy.targets['conf']?.config).toEqual({ type: 'files', paths: ['/etc/a', '/etc/b: c'] });
    expect(policy.backups[0]?.repositories).toEqual(['backups', 'off-site']);
  });

  it('never overwrites a file', async () => {
    const path = join(folder, 'bkp.yaml');
    writeFileSync(path, 'mine');
    await expect(run({})).rejects.toMatchObject({ exitCode: 4, message: `cannot write ${path}: it is there already` });
    expect(readFileSync(path, 'utf8')).toBe('mine');
  });

  it.each([
    ['no target where nobody can be asked', { targets: [] }, /cannot ask for targets/],
    ['no repository where nobody can be asked', { repositories: [] }, /cannot ask for targets/],
    ['a name that is none', { name: 'Acme Inc' }, /"Acme Inc" is not a valid name/],
    [
      'two targets of one name',
      { targets: ['type=sqlite,path=a/app.db', 'type=sqlite,path=b/app.db'] },
      /cannot name two targets "app"/,
    ],
    ['standard output', { path: '-' }, /cannot write a policy to -/],
    ['a folder that is not there', { path: '/nowhere/at/all/bkp.yaml' }, /cannot write \/nowhere\/at\/all\/bkp\.yaml/],
  ])('refuses %s', async (_name, options, message) => {
    await expect(run(options)).rejects.toMatchObject({
      exitCode: 4,
      message: expect.stringMatching(message) as string,
    });
  });

  it.each([
    ['/var/lib/My App', 'my-app'],
    ['../', 'x'],
    ['/srv/größe_1', 'gr-e-1'],
  ])('makes a name of %s', (text, name) => {
    expect(nameFrom(text, 'x')).toBe(name);
  });
});
