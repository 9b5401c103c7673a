import { execFileSync } from 'node:child_process';
import { readdir, rename, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { appliedProject, copyOf, POLICY, testProject } from './project.ts';
import { jsonOf } from './run-bkp.ts';
import { screen } from './screen.ts';

const base = await appliedProject();
base.sql('DELETE FROM events WHERE id > 450; CREATE TABLE extra (x); INSERT INTO extra VALUES (1)');
await base.bkp('backup shop');
const [second = '', first = ''] = await base.ids();

describe('bkp diff', () => {
  it('compares facts and sizes', async () => {
    const { stdout } = await base.bkp(`diff ${first} shop@latest`);
    expect(screen(base, stdout)).toMatchInlineSnapshot(`
      "shop@<id-1> -> shop@<id-2>
      TARGET  WHAT  BEFORE  AFTER  CHANGE
      db  tables.events  500  450  -50
      db  stored  <size>  <size>  -<size>
      db  tables.extra  -  1"
    `);
    const json = jsonOf(await base.bkp(`diff ${first} ${second} --format json`));
    expect(json).toMatchObject({ before: first, after: second });
    expect(json['changes']).toContainEqual({ target: 'db', what: 'facts.tables.events', before: 500, after: 450 });
    expect(json['changes']).toContainEqual({ target: 'db', what: 'facts.tables.extra', before: null, after: 1 });
    expect((await base.bkp(`diff ${first} ${first}`)).stdout).toContain('No differences in facts and sizes.');
    await base.bkp(`diff ${first} shop@2001-01-01`, 1);
  });
});

describe('bkp download', () => {
  it('copies artifacts as they are, or as their tools read them, and overwrites nothing', async () => {
    const project = await copyOf(base);
    const { stdout } = await project.bkp('download shop@latest out');
    expect(screen(project, stdout)).toMatchInlineSnapshot(`
      "out/db.db.zst  <size>
      out/tree.tar.zst  <size>"
    `);
    expect((await stat(project.path('out', 'db.db.zst'))).mode & 0o777).toBe(0o600);
    const refused = await project.bkp('download shop@latest out', 6);
    expect(refused.stderr).toBe('error: cannot download to out/db.db.zst: it exists\nhint: --force overwrites it\n');
    await project.bkp('download shop@latest out --force');
    const json = jsonOf(await project.bkp('download shop@latest out --native --format json'));
    expect(json['files']).toEqual([
      { path: 'out/db.db', bytes: expect.any(Number) },
      { path: 'out/tree.tar', bytes: expect.any(Number) },
    ]);
    expect(project.count('events', 'out/db.db')).toBe(450);
    expect(execFileSync('tar', ['-tf', project.path('out', 'tree.tar')], { encoding: 'utf8' })).toContain('sub/b.txt');
    expect((await readdir(project.path('out'))).toSorted()).toEqual(['db.db', 'db.db.zst', 'tree.tar', 'tree.tar.zst']);
    const { stderr } = await project.bkp('download shop@latest out --target dbb', 4);
    expect(stderr).toContain('cannot download dbb: the snapshot has db, tree');
  });
});

describe('bkp upload', () => {
  it('adopts a good dump, which is never the latest', async () => {
    const project = await copyOf(base);
    await project.bkp('download shop@latest out --native');
    const { stdout } = await project.bkp('upload out/db.db --target db --taken-at 2026-01-02T03:04:05Z');
    expect(screen(project, stdout)).toMatchInlineSnapshot(
      `"Adopted out/db.db as shop@<id-1> in near (stored <size>)."`,
    );
    expect((await project.ids())[2]).toMatch(/^20260102T030405Z-/);
    expect((await project.bkp('list')).stdout).toMatch(/adopted/);
    expect((await project.bkp('show shop@latest')).stdout).toContain(second);
    expect((await project.bkp('show shop@2026-01-02')).stdout).toContain('created, adopted');
    const json = jsonOf(await project.bkp('upload out/db.db --backup shop --target db --format json'));
    expect(json).toEqual({
      formatVersion: 1,
      snapshot: expect.stringMatching(/^shop@/),
      repository: 'near',
      storedBytes: expect.any(Number),
    });
    // The clock of the machine that made it runs ahead.
    const ahead = new Date(Date.now() + 120_000);
    await utimes(project.path('out', 'db.db'), ahead, ahead);
    await project.bkp('upload out/db.db --target db');
    expect(await project.ids()).toHaveLength(5);
  });

  it('refuses what its engine finds wrong, and keeps nothing of it', async () => {
    const project = await copyOf(base);
    await project.bkp('download shop@latest out --native');
    await truncate(project.path('out', 'db.db'), 9_000);
    await writeFile(project.path('empty'), '');
    await writeFile(project.path('text'), 'hello');
    const messages: string[] = [];
    for (const [file, exitCode] of [
      ['out/db.db', 1],
      ['empty', 1],
      ['text', 1],
      ['gone', 4],
    ] as const)
      messages.push((await project.bkp(`upload ${file} --target db`, exitCode)).stderr);
    expect(messages.join('')).toMatchInlineSnapshot(`
      "error: cannot upload out/db.db to db: its last page is cut
      hint: nothing of it was kept
      error: cannot upload empty: it is empty
      error: cannot upload text to db: it is not a SQLite database
      hint: nothing of it was kept
      error: cannot upload gone: there is no such file
      "
    `);
    expect((await project.bkp('upload text', 4)).stderr).toBe(
      'error: cannot upload: --target is needed\nhint: one of db, tree\n',
    );
    expect((await project.bkp('upload text --target db --taken-at 2999-01-01', 4)).stderr).toContain('from the future');
    expect(await project.ids()).toEqual([second, first]);
    await project.bkp('plan --detailed-exitcode');
  });
});

describe('bkp protect and destroy', () => {
  it('keeps a snapshot against everything until it is unprotected', async () => {
    const project = await copyOf(base);
    const { stdout } = await project.run(['protect', first, '--reason', 'before the move']);
    expect(screen(project, stdout)).toMatchInlineSnapshot(`"Protected shop@<id-1> in near, far."`);
    const refused = await project.bkp(`destroy ${first} --yes`, 6);
    expect(screen(project, refused.stderr)).toMatchInlineSnapshot(`
      "error: cannot destroy shop@<id-1>: it is protected: before the move
      hint: \`bkp unprotect shop@<id-1>\` first"
    `);
    await project.bkp(`destroy ${first} --force shop@${first} --yes`, 6);
    await project.edit('keepLast: 2', 'keepLast: 1');
    const { stdout: plan } = await project.bkp('plan');
    expect(plan).toContain('before the move');
    expect(plan).toContain('2 withheld');
    await project.bkp('apply --yes');
    expect(await project.ids()).toEqual([second, first]);
    expect(jsonOf(await project.bkp(`unprotect ${first} --format json`))).toEqual({
      formatVersion: 1,
      snapshot: `shop@${first}`,
      protected: false,
      repositories: ['near', 'far'],
      held: [],
      refused: [],
      missed: [],
    });
    expect((await project.bkp('plan')).stdout).toContain('2 snapshots will be pruned');
  });

  it('removes a snapshot everywhere, and it is not copied back', async () => {
    const project = await copyOf(base);
    const asked = await project.bkp(`destroy ${first}`, 4);
    expect(asked.stderr).toMatch(
      /^error: cannot ask "Destroy shop@\S+ \(.*\) in near, far\?": this is not a terminal\n/,
    );
    const { stdout } = await project.bkp(`destroy ${first} --yes`);
    expect(stdout).toBe(`Destroyed shop@${first} in near, far.\n`);
    expect(await project.ids()).toEqual([second]);
    await project.bkp('plan --detailed-exitcode');
    const last = await project.bkp('destroy shop@latest --yes', 6);
    expect(screen(project, last.stderr)).toMatchInlineSnapshot(`
      "error: cannot destroy shop@<id-1>: it is the newest good snapshot of shop
      hint: --force shop@<id-1> removes it all the same"
    `);
    expect((await project.bkp('destroy shop@latest --force shop@latest --yes', 4)).stderr).toContain(
      'give the full name',
    );
    const json = jsonOf(await project.bkp(`destroy shop@latest --force shop@${second} --yes --format json`));
    expect(json).toEqual({ formatVersion: 1, destroyed: `shop@${second}`, repositories: ['near', 'far'], missed: [] });
    expect(await project.ids()).toEqual([]);
  });

  it('removes it from one repository only when that is named, and says what it could not reach', async () => {
    const project = await copyOf(base);
    await project.bkp(`destroy ${first} --repository far --yes`);
    expect(jsonOf(await project.bkp('list --format json'))['snapshots']).toHaveLength(3);
    await rename(project.path('far'), project.path('unmounted'));
    const { stderr } = await project.bkp(`destroy ${first} --yes`, 7);
    expect(stderr).toContain('far cannot be reached');
  });

  it('is refused for a backup that the policy protects', async () => {
    const project = await testProject(POLICY.replace('    schedule', '    protect: true\n    schedule'));
    await project.bkp('apply --yes --init-repositories');
    await project.bkp('backup shop');
    const oldest = (await project.ids()).at(-1) ?? '';
    const { stderr } = await project.bkp(`destroy ${oldest} --yes`, 6);
    expect(stderr).toContain('protect: true');
  });
});

describe('bkp unlock', () => {
  it('shows who holds a lease before it ends it, and the holder stops', async () => {
    const project = await copyOf(base);
    await project.edit(
      'verify:',
      'hooks: { before: [ { run: [sh, -c, "touch held; until [ -e go ]; do sleep 0.05; done"] } ] }\n    verify:',
    );
    const holder = project.start(['backup', 'shop']);
    const ended = new Promise<number | null>((resolve) => holder.once('close', resolve));
    await expect.poll(() => readdir(project.folder), { timeout: 30_000 }).toContain('held');
    const { stderr } = await project.bkp('unlock shop', 4);
    expect(screen(project, stderr)).toMatchInlineSnapshot(`
      "REPOSITORY  HELD BY  FOR  SINCE  LAST SIGN
      near  process <pid> on <host>  backup  <time>  <time>
      far  process <pid> on <host>  backup  <time>  <time>
      error: cannot ask "End the lease of shop? A run that is alive stops at its next step.": this is not a terminal
      hint: give --yes to go on without being asked"
    `);
    const { stdout } = await project.bkp('unlock shop --yes');
    expect(stdout).toBe('Ended the lease of shop in near, far.\n');
    await writeFile(project.path('go'), '');
    expect(await ended).toBe(1);
    // What it had begun is no snapshot, and goes with the next run.
    expect((await project.bkp('list --format plain')).stdout.split('\n')[0]).toContain('incomplete');
    expect((await project.bkp('plan')).stdout).toContain('partial-upload');
    await project.bkp('apply --yes');
    expect(await project.ids()).toEqual([second, first]);
    expect((await project.bkp('unlock shop --yes')).stdout).toBe('Nobody holds the lease of shop.\n');
    expect(jsonOf(await project.bkp('unlock shop --format json'))).toEqual({
      formatVersion: 1,
      backup: 'shop',
      broken: [],
    });
    expect((await project.bkp('unlock shap', 4)).stderr).toContain('did you mean shop?');
    await project.bkp('backup shop');
  });
});
