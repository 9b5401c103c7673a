import { readFile, readdir, rename, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { appliedProject, copyOf, POLICY, testProject } from './project.ts';
import { linesOf, jsonOf } from './run-bkp.ts';
import { screen } from './screen.ts';

const base = await appliedProject();
const exists = (path: string): Promise<boolean> =>
  readdir(path).then(
    () => true,
    () => false,
  );

describe('bkp apply', () => {
  it('asks nobody in a pipe, and does nothing then', async () => {
    const project = await testProject();
    const { stdout, stderr } = await project.bkp('apply --init-repositories', 4);
    expect(stdout).toContain('Plan: 1 create, 1 copy, 2 verify.');
    expect(stderr).toMatchInlineSnapshot(`
      "error: cannot ask "Apply 4 steps?": this is not a terminal
      hint: give --yes, or a plan saved by \`bkp plan --out\`
      "
    `);
    expect(await exists(project.path('near'))).toBe(false);
  });

  it('refuses while no repository is there', async () => {
    const project = await testProject();
    const { stdout, stderr } = await project.bkp('apply --yes', 6);
    expect(stdout).toContain('Nothing can be done now.');
    expect(screen(project, stderr)).toMatchInlineSnapshot(`
      "error: cannot apply: cannot use repository near: <folder>/near does not exist
      hint: is it mounted? a new one is made by \`bkp init --repository near\` or \`bkp apply --init-repositories\`"
    `);
  });

  it('captures, copies and verifies: results on stdout, progress on stderr', async () => {
    const project = await testProject();
    const { stdout, stderr } = await project.bkp('apply --yes --init-repositories');
    const captures = /^ {2}captured .*\n {2}captured .*\n/m;
    expect(screen(project, stderr).replace(captures, '  captured  <two targets>\n')).toMatchInlineSnapshot(`
      "            made repository near (<uuid>) in <folder>/near
                  made repository far (<uuid>) in <folder>/far
      start  create shop@near
        captured  <two targets>
      done  create shop@near  <id-1>
      start  copy shop@far
      done  copy shop@far  <id-1>
      start  verify shop@near
      done  verify shop@near  <id-1>
      start  verify shop@far
      done  verify shop@far  <id-1>"
    `);
    expect(stderr).toMatch(/captured {2}db {2}/);
    expect(stderr).toMatch(/captured {2}tree {2}/);
    expect(screen(project, stdout).split('\n').at(-1)).toBe('Applied: 4 done of 4 steps.');
    expect(`${stdout}${stderr}`).not.toContain('\u001B');
    expect((await project.bkp('apply --yes')).stdout).toMatch(/No changes\. 1 snapshot kept\.\n$/);
  });

  it('writes every event as one JSON line', async () => {
    const project = await testProject();
    const run = await project.bkp('apply --yes --init-repositories --format json --json-into plan.json');
    const lines = linesOf(run);
    const types = lines.map(({ type }) => type);
    expect(types.slice(0, 2)).toEqual(['run', 'plan']);
    expect(types).toEqual(expect.arrayContaining(['note', 'step-started', 'target-finished', 'step-finished']));
    expect(lines[1]?.['plan']).toEqual(JSON.parse(await readFile(project.path('plan.json'), 'utf8')));
    expect(lines.at(-1)).toMatchObject({
      formatVersion: 1,
      type: 'result',
      exitCode: 0,
      steps: [
        {
          id: 's1',
          action: 'create',
          address: 'shop@near',
          outcome: 'done',
          snapshot: expect.any(String),
          message: null,
        },
        { id: 's2', action: 'copy', address: 'shop@far', outcome: 'done' },
        { action: 'verify' },
        { action: 'verify' },
      ],
    });
    expect(run.stderr).toBe('');
  });

  it('ends its NDJSON with the error when nothing could begin', async () => {
    const project = await testProject();
    const lines = linesOf(await project.bkp('apply --yes --format json', 6));
    expect(lines.at(-1)).toMatchObject({ formatVersion: 1, type: 'error', exitCode: 6, error: { code: 'guard' } });
    await project.policy('version: 1\n');
    expect(linesOf(await project.bkp('apply --yes --format json', 4)).at(-1)).toMatchObject({
      exitCode: 4,
      valid: false,
    });
  });

  it('fails with 1 when nothing succeeds, and says when it tries again', async () => {
    const project = await testProject(POLICY.replace('app.db', 'gone.db').replace('[db, tree]', '[db]'));
    const { stdout, stderr } = await project.bkp('apply --yes --init-repositories', 1);
    expect(screen(project, stderr)).toMatchInlineSnapshot(`
      "            made repository near (<uuid>) in <folder>/near
                  made repository far (<uuid>) in <folder>/far
      start  create shop@near
        failed  db  cannot copy the database: <folder>/gone.db does not exist
        hint  correct \`path\`, or mount its file system
      failed  create shop@near  cannot copy the database: <folder>/gone.db does not exist
      not-started copy shop@far  dependency-failed: create shop@near is not done
      not-started verify shop@near  dependency-failed: create shop@near is not done
      not-started verify shop@far  dependency-failed: copy shop@far is not done"
    `);
    expect(screen(project, stdout).split('\n').slice(-5).join('\n')).toMatchInlineSnapshot(`
      "  failed  create shop@near: cannot copy the database: <folder>/gone.db does not exist
        not-started  copy shop@far: dependency-failed: create shop@near is not done
        not-started  verify shop@near: dependency-failed: create shop@near is not done
        not-started  verify shop@far: dependency-failed: copy shop@far is not done
      Not applied: 0 done, 1 failed, 3 not started of 4 steps."
    `);
    expect(screen(project, (await project.bkp('plan')).stdout)).toMatchInlineSnapshot(`
      "bkp plan  shop  bkp.yaml (sha256 <digest>), <time>

      Actions:  . withheld

        .  withheld shop@near  create
                       first-snapshot: no good snapshot yet; the last try failed and the next is due <time> (\`bkp backup shop\` tries now)  bkp.yaml:13:3

      Nothing can be done now. 0 snapshots kept. 1 withheld."
    `);
  });

  it('keeps what could be captured when one target fails, and exits 7', async () => {
    const project = await testProject(POLICY.replace('app.db', 'gone.db'));
    const { stdout } = await project.bkp('apply --yes --init-repositories', 7);
    expect(screen(project, stdout).split('\n').slice(-6).join('\n')).toMatchInlineSnapshot(`
      "Plan: 1 create, 1 copy, 2 verify.
        partial  create shop@near: db: cannot copy the database: <folder>/gone.db does not exist
        not-started  copy shop@far: dependency-failed: create shop@near is not done
        not-started  verify shop@near: dependency-failed: create shop@near is not done
        not-started  verify shop@far: dependency-failed: copy shop@far is not done
      Not all applied: 0 done, 1 partial, 3 not started of 4 steps."
    `);
    expect(jsonOf(await project.bkp('list --format json'))).toMatchObject({
      snapshots: [{ status: 'partial', repository: 'near', targets: ['db', 'tree'] }],
    });
    const lines = linesOf(await project.bkp('apply --yes --format json --only verify'));
    expect(lines.at(-1)).toMatchObject({ type: 'result', steps: [] });
  });

  it('carries out only what it is told to', async () => {
    const project = await testProject();
    await project.bkp('init --repository near');
    await project.bkp('init --repository far');
    const { stdout } = await project.bkp('apply --yes --only create --backup shop');
    expect(stdout).toContain('Applied: 1 done of 1 step.');
    const rest = await project.bkp('apply --yes --only copy,verify');
    expect(rest.stdout).toContain('Applied: 3 done of 3 steps.');
  });

  it('prunes what retention lets go, unless told otherwise', async () => {
    const project = await copyOf(base);
    await project.bkp('backup shop');
    await project.edit('keepLast: 2', 'keepLast: 1');
    await project.bkp('apply --yes --no-prune');
    expect(await project.ids()).toHaveLength(2);
    const held = await project.bkp('apply --yes --max-prune 0', 6);
    expect(held.stdout).toContain('max-prune');
    expect(await project.ids()).toHaveLength(2);
    const { stdout } = await project.bkp('apply --yes');
    expect(stdout).toContain('WARNING, destructive: 2 snapshots will be pruned');
    expect(stdout).toContain('Applied: 2 done of 2 steps.');
    expect(await project.ids()).toHaveLength(1);
  });

  it('says what hooks and checks did, and what was held back', async () => {
    const project = await copyOf(base);
    await project.edit(
      '    verify:',
      `    hooks:
      before: [ { run: [sh, -c, "exit 0"] } ]
      after: [ { run: [sh, -c, "echo cannot start >&2; exit 3"], always: true } ]
    checks: { db: [ { sql: SELECT count(*) FROM users, expect: "= 2" }, { facts: tables.events, expect: "> 10" } ] }
    verify:`,
    );
    await rename(project.path('far'), project.path('unmounted'));
    const flawed = await project.bkp('backup shop', 7);
    expect(screen(project, flawed.stdout)).toMatchInlineSnapshot(`
      "  flaw  the after hook sh -c 'echo cannot start >&2; exit 3' exited 3: cannot start
        held back  copy shop@far: far is missing, or is not the repository it should be
      Captured with flaws: 2 done of 2 steps."
    `);
    expect(flawed.stderr).toContain(
      "  hook failed after: sh -c 'echo cannot start >&2; exit 3' exited 3: cannot start",
    );
    expect((await project.bkp('show shop@latest')).stdout).toContain('sql: SELECT count(*) FROM users = 2: 2 ok');
    await project.edit('exit 3', 'exit 0');
    expect((await project.bkp('backup shop', 6)).stdout).toContain('held back    copy shop@far: far is missing');
    await project.edit('> 10', '> 1000');
    expect(screen(project, (await project.bkp('backup shop', 7)).stdout)).toContain(
      'db: cannot accept the capture of db: facts: tables.events is 500, expected > 1000',
    );
    await project.edit('exit 0', 'exit 9');
    const failed = await project.bkp('backup shop', 1);
    expect(failed.stdout).toContain("cannot capture shop: the before hook sh -c 'exit 9' exited 9");
    expect(failed.stderr).not.toContain('captured');
  });

  it('stops at the first failure with --fail-fast', async () => {
    const two = POLICY.replace(
      'backups:\n',
      'backups:\n  bad:\n    targets: [gone]\n    repositories: [near]\n    schedule: "0 0 1 1 *"\n',
    ).replace('targets:\n', 'targets:\n  gone: { type: sqlite, path: gone.db }\n');
    const project = await testProject(two);
    const { stdout } = await project.bkp('apply --yes --init-repositories --fail-fast', 1);
    expect(screen(project, stdout).split('\n').slice(-7).join('\n')).toMatchInlineSnapshot(`
      "Plan: 2 create, 1 copy, 2 verify.
        failed  create bad@near: cannot copy the database: <folder>/gone.db does not exist
        not-started  create shop@near: an earlier step failed
        not-started  copy shop@far: an earlier step failed
        not-started  verify shop@near: an earlier step failed
        not-started  verify shop@far: an earlier step failed
      Not applied: 0 done, 1 failed, 4 not started of 5 steps."
    `);
    expect(await project.ids()).toEqual([]);
    await project.bkp('apply --yes');
    expect(await project.ids()).toHaveLength(1);
  });

  it('waits no longer than told for a lease, and exits 3', async () => {
    const project = await copyOf(base);
    await project.edit(
      'verify:',
      'hooks: { before: [ { run: [sh, -c, "touch held; until [ -e go ]; do sleep 0.05; done"] } ] }\n    verify:',
    );
    const holder = project.start(['backup', 'shop']);
    const ended = new Promise<number | null>((resolve) => holder.once('close', resolve));
    await expect.poll(() => readdir(project.folder), { timeout: 30_000 }).toContain('held');
    const { stderr } = await project.bkp('backup shop --lock-timeout 0s', 3);
    expect(screen(project, stderr)).toMatchInlineSnapshot(`
      "error: cannot obtain the lease of shop: backup by process <pid> on <host> since <time>
      hint: wait longer with --lock-timeout; \`bkp unlock shop\` ends the lease of a run that is gone"
    `);
    const json = linesOf(await project.bkp('backup shop --lock-timeout 0s --format json', 3));
    expect(json.at(-1)).toMatchObject({ type: 'error', exitCode: 3, error: { code: 'lock' } });
    const listed = jsonOf(await project.bkp('list --format json'));
    expect(listed['snapshots']).toContainEqual(expect.objectContaining({ status: 'creating', sizeBytes: 0 }));
    await writeFile(project.path('go'), '');
    expect(await ended).toBe(0);
    await project.bkp('plan --detailed-exitcode');
  });

  it('refuses a lock timeout that is no duration', async () => {
    const { stderr } = await base.bkp('apply --yes --lock-timeout soon', 4);
    expect(stderr).toBe(
      'error: cannot read --lock-timeout soon: not a duration\nhint: write it like 30s, 5m, 24h or 7d\n',
    );
  });
});

describe('bkp backup', () => {
  it('captures now, whatever the schedule says', async () => {
    const project = await copyOf(base);
    const { stdout } = await project.bkp('backup shop');
    expect(stdout).toBe('Captured: 4 done of 4 steps.\n');
    expect(await project.ids()).toHaveLength(2);
    const { stderr } = await project.bkp('backup shap', 4);
    expect(stderr).toBe('error: cannot find backup shap: the policy has shop\nhint: did you mean shop?\n');
    expect(linesOf(await project.bkp('backup shop --format json')).at(-1)).toMatchObject({
      type: 'result',
      exitCode: 0,
    });
  });

  it('refuses without a repository, and fails with the reason', async () => {
    const project = await testProject();
    const { stderr } = await project.bkp('backup shop', 6);
    expect(screen(project, stderr)).toMatchInlineSnapshot(`
      "error: cannot capture shop: cannot use repository near: <folder>/near does not exist
      hint: is it mounted? a new one is made by \`bkp init --repository near\` or \`bkp apply --init-repositories\`"
    `);
  });
});
