import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { copyOf, makeProject, POLICY, type Project } from '../cli/project.ts';
import { jsonOf } from '../cli/run-bkp.ts';
import { isAlive } from '../system/alive.ts';
import { HOOKS, makeHeld, type HeldProject } from './held-project.ts';

const MINUTE_MS = 60_000;

const base = await makeProject();
afterAll(() => base.remove());
await base.bkp('init --repository near');
await base.bkp('init --repository far');

/** With both repositories, nothing captured yet. */
async function project(more: string, policy = POLICY): Promise<HeldProject> {
  const made = await makeHeld(await copyOf(base));
  await made.policy(`${policy}${more}`);
  return made;
}

const ONLY_DB = POLICY.replace('targets: [db, tree]', 'targets: [db]');
const ONLY_TREE = POLICY.replace('targets: [db, tree]', 'targets: [tree]');

interface Listed {
  readonly id: string;
  readonly status: string;
  readonly repository: string;
}

async function listed(of: Project): Promise<readonly string[]> {
  const { snapshots } = jsonOf(await of.bkp('list --format json')) as { snapshots: readonly Listed[] };
  return snapshots.map(({ status, repository }) => `${status}@${repository}`).toSorted();
}

/** The newest run record of the first repository. */
async function lastRun(of: Project): Promise<Record<string, unknown>> {
  const names = await readdir(of.path('near', 'runs', 'shop'));
  return JSON.parse(await readFile(of.path('near', 'runs', 'shop', names.toSorted().at(-1) ?? ''), 'utf8')) as Record<
    string,
    unknown
  >;
}

const inMinutes = (minutes: number): string => new Date(Date.now() + minutes * MINUTE_MS).toISOString();

async function tool(of: HeldProject, name: string, script: string): Promise<void> {
  await writeFile(of.path('bin', name), `#!/bin/sh\n${script}`);
  await chmod(of.path('bin', name), 0o700);
}

describe('a hook', () => {
  it('before that fails: nothing is captured, what must always run after it runs', async () => {
    const shop = await project(
      `    hooks:
      before: [ { run: [./hook, before] }, { run: [sh, -c, "echo disk is gone >&2; exit 3"] }, { run: [./hook, never] } ]
      after: [ { run: [./hook, plain] }, { run: [./hook, always], always: true } ]
`,
    );
    const { stderr } = await shop.bkp('apply --yes', 1);
    expect(stderr).toContain('exited 3: disk is gone');
    expect(await shop.log()).toEqual(['before', 'before ended', 'always', 'always ended']);
    expect(await listed(shop)).toEqual([]);
    expect(await lastRun(shop)).toMatchObject({ outcome: 'failed', owedHooks: [] });
    expect((await shop.bkp('plan')).stdout).toContain('the last try failed and the next is due');
  });

  it('after that fails: the snapshot stands, the run was not all right', async () => {
    const shop = await project(
      `    hooks: { after: [ { run: [sh, -c, "echo no such unit >&2; exit 5"] }, { run: [./hook, plain] } ] }\n`,
    );
    const { stderr } = await shop.bkp('apply --yes', 7);
    expect(stderr).toContain('exited 5: no such unit');
    expect(await shop.log()).toEqual(['plain', 'plain ended']);
    expect(await listed(shop)).toEqual(['created@far', 'created@near']);
    const record = await lastRun(shop);
    expect(record).toMatchObject({ outcome: 'partly', owedHooks: [] });
    expect(JSON.stringify(record)).toContain('exited 5: no such unit');
    await shop.bkp('plan --detailed-exitcode');
  });

  it('that takes too long is ended with all it started', async () => {
    const shop = await project(
      `    hooks: { before: [ { run: [sh, -c, "sleep 600 & echo $! >sleeper; wait"], timeout: 1s } ] }\n`,
    );
    const { stderr } = await shop.bkp('apply --yes', 1);
    expect(stderr).toContain('no end after 1');
    const sleeper = Number(await readFile(shop.path('sleeper'), 'utf8'));
    expect(isAlive(sleeper)).toBe(false);
    expect(await listed(shop)).toEqual([]);
  });

  it('runs in the folder of its own file, with its own environment only', async () => {
    const note = 'pwd >where; env >environment';
    const shop = await project('');
    await mkdir(shop.path('conf', 'teams'), { recursive: true });
    await shop.edit('path: near', 'path: ../near');
    await shop.edit('path: far', 'path: ../far');
    await shop.edit('path: app.db', 'path: ../app.db');
    await shop.edit('paths: [tree]', 'paths: [../tree]');
    const text = await readFile(shop.path('bkp.yaml'), 'utf8');
    const hooks = `    hooks: { before: [ { run: [sh, -c, "${note}"], env: { LEVEL: high } } ] }\n`;
    await writeFile(shop.path('conf', 'bkp.yaml'), `include: [teams/a.yaml]\n${text}${hooks}`);
    await writeFile(
      shop.path('conf', 'teams', 'a.yaml'),
      `backups:\n  team:\n    targets: [db]\n    repositories: [near]\n    schedule: "@yearly"\n${hooks}`,
    );
    await rm(shop.path('bkp.yaml'));
    const { exitCode, stderr } = await shop.run(['apply', '-f', 'conf/bkp.yaml', '--yes'], { env: { MINE: 'yes' } });
    expect(exitCode, stderr).toBe(0);
    for (const folder of ['conf', 'conf/teams']) {
      expect(await readFile(shop.path(folder, 'where'), 'utf8')).toBe(`${shop.path(folder)}\n`);
      const lines = (await readFile(shop.path(folder, 'environment'), 'utf8')).trimEnd().split('\n');
      const names = lines
        .map((line) => line.split('=')[0])
        .filter((name) => !['_', 'OLDPWD', 'SHLVL'].includes(name ?? ''));
      expect(new Set(names)).toEqual(new Set(['HOME', 'LANG', 'LC_ALL', 'LEVEL', 'PATH', 'PWD', 'TMPDIR', 'TZ']));
      expect(lines).toContain('LEVEL=high');
    }
  });

  it('owed by a run that died stands in every plan until a run has paid', async () => {
    const shop = await project(HOOKS);
    const run = await shop.holdAt('apply --yes', 'before');
    run.kill('SIGKILL');
    expect((await run.ended).exitCode).toBeNull();
    await writeFile(shop.path('go'), '');
    for (const command of ['plan', 'status']) {
      const { stdout, stderr } = await shop.run([command]);
      expect(`${stdout}${stderr}`).toContain('died before its after hook: ./hook always');
    }
    await shop.release();
    await shop.bkp('apply --yes');
    expect(await shop.log()).toContain('always ended');
    expect((await shop.bkp('plan --detailed-exitcode')).stdout).not.toContain('died before');
  });
});

describe('a check', () => {
  it('that holds is kept in the manifest with its value', async () => {
    const shop = await project(`    checks:
      db: [ { sql: SELECT count(*) FROM events, expect: ">= previous * 0.9" }, { facts: tables.users, expect: "= 2" } ]
      tree: [ { facts: files, expect: "> 1" }, { facts: entries, expect: "!= 0" } ]
`);
    await shop.bkp('apply --yes');
    shop.sql('DELETE FROM events WHERE id > 450');
    await shop.bkp('backup shop');
    const { manifest } = jsonOf(await shop.bkp('show shop@latest --format json')) as {
      manifest: { targets: Record<string, { checks: unknown }> };
    };
    expect(manifest.targets['db']?.checks).toEqual([
      { check: 'sql: SELECT count(*) FROM events', expect: '>= previous * 0.9', value: 450, ok: true },
      { check: 'facts: tables.users', expect: '= 2', value: 2, ok: true },
    ]);
    expect(manifest.targets['tree']?.checks).toMatchObject([{ value: 2 }, { value: 4 }]);
  });

  it('that fails: no snapshot, and the message has the value and what was expected', async () => {
    const shop = await project(
      `    checks: { db: [ { sql: SELECT count(*) FROM events, expect: ">= previous * 0.9" } ] }\n`,
      ONLY_DB,
    );
    await shop.bkp('apply --yes');
    const before = await listed(shop);
    shop.sql('DELETE FROM events WHERE id > 449');
    const { stderr } = await shop.bkp('backup shop', 1);
    expect(stderr).toContain('sql: SELECT count(*) FROM events is 449, expected >= previous * 0.9');
    expect(await listed(shop)).toEqual(before);
    // What failed is no measure for the next.
    shop.sql('INSERT INTO events (body) VALUES (1)');
    await shop.bkp('backup shop');
    shop.sql('DELETE FROM events WHERE id > 405');
    await shop.bkp('backup shop');
  });

  it.each([
    ['sql: SELECT count(*) FROM gone, expect: "> 0"', 'no such table: gone'],
    ['sql: SELECT name FROM users WHERE id = 9, expect: "= ann"', 'it returned no row'],
    ['sql: SELECT name FROM users WHERE id = 1, expect: "= bob"', 'is ann, expected = bob'],
    ['sql: DELETE FROM users RETURNING 1, expect: "= 1"', 'cannot'],
    ['facts: tables.gone, expect: "> 0"', 'facts: tables.gone gives no value'],
  ])('{ %s } fails: %s', async (check, reason) => {
    const shop = await project(`    checks: { db: [ { ${check} } ] }\n`, ONLY_DB);
    const { stderr } = await shop.bkp('apply --yes', 1);
    expect(stderr).toContain(reason);
    expect(await listed(shop)).toEqual([]);
    expect(shop.count('users')).toBe(2);
  });

  it('that fails for one of two targets: kept as partial here, copied nowhere, gone once a good one is there', async () => {
    const shop = await project(`    checks: { tree: [ { facts: files, expect: "> 2" } ] }\n`);
    const { stdout } = await shop.bkp('apply --yes', 7);
    expect(stdout).toContain('tree: cannot accept the capture of tree: facts: files is 2, expected > 2');
    expect(await listed(shop)).toEqual(['partial@near']);
    expect((await shop.bkp('plan')).stdout).toContain('the last try failed and the next is due');
    await writeFile(shop.path('tree', 'c.txt'), 'third');
    await shop.bkp('backup shop');
    expect((await shop.bkp('plan', 0)).stdout).toContain('superseded');
    await shop.bkp('apply --yes');
    expect(await listed(shop)).toEqual(['created@far', 'created@near']);
    await shop.bkp('plan --detailed-exitcode');
  });
});

describe('time', () => {
  it.each([
    ['', 60],
    ['    retryAfter: 10m\n', 10],
  ])('a failed tick is tried again after retryAfter %#', async (setting, minutes) => {
    const shop = await project(setting, ONLY_DB);
    await rename(shop.path('app.db'), shop.path('away.db'));
    await shop.bkp('apply --yes', 1);
    await shop.bkp('plan --detailed-exitcode', 0);
    await shop.bkp(`plan --detailed-exitcode --at ${inMinutes(minutes - 2)}`, 0);
    await shop.bkp(`plan --detailed-exitcode --at ${inMinutes(minutes + 2)}`, 2);
    await rename(shop.path('away.db'), shop.path('app.db'));
    await shop.bkp('backup shop');
    await shop.bkp('plan --detailed-exitcode');
  });

  it.each([
    ['timeout: 1s', 'cannot capture tree: no end after 1s'],
    ['idleTimeout: 1s', 'cannot capture tree: no byte for 1s'],
  ])('%s ends a capture that hangs; the other target stays', async (limit, reason) => {
    const shop = await project(`    ${limit}\n    parallelism: 1\n${HOOKS}`);
    const { stderr } = await shop.holdAt('apply --yes', 'tar').then(({ ended }) => ended);
    expect(stderr).toContain(reason);
    expect(await shop.log()).toContain('always ended');
    expect(await shop.log()).not.toContain('plain');
    expect(await listed(shop)).toEqual(['partial@near']);
  });

  it('a slow capture is no idle one', async () => {
    const shop = await project('    idleTimeout: 3s\n', ONLY_TREE);
    await shop.edit('paths: [tree]', 'paths: [tree], compression: none');
    const dribble = 'dd bs=1024 count=1 2>&-; sleep 1;';
    await tool(
      shop,
      'tar',
      `PATH=${shop.env['PATH'] ?? ''}\ncase " $* " in *--create*|*" -c"*) tar "$@" | { ${dribble.repeat(4)} cat; };; *) exec tar "$@";; esac\n`,
    );
    const { exitCode, stderr } = await shop.startWithTools('apply --yes').ended;
    expect(exitCode, stderr).toBe(0);
  });
});
