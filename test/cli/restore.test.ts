import { chmod, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { appliedProject, damage, POLICY, renewed, type Project } from './project.ts';
import { jsonOf, linesOf } from './run-bkp.ts';
import { screen } from './screen.ts';

const base = await appliedProject();
const [id = ''] = await base.ids();
const fresh = await renewed(base);

/** Everything that could be overwritten, to see that it was not. */
const contents = async (project: Project): Promise<readonly unknown[]> => [
  project.count('events'),
  await readFile(project.path('tree', 'a.txt'), 'utf8'),
  (await readdir(project.folder)).filter((name) => !name.startsWith('.') && !name.startsWith('app.db-')).toSorted(),
];

describe('bkp restore', () => {
  it('refuses what is taken, also in its plan, and changes nothing', async () => {
    const project = await fresh();
    project.sql('DELETE FROM events WHERE id > 400');
    await writeFile(project.path('tree', 'a.txt'), 'changed');
    const before = await contents(project);
    const planned = await project.bkp('restore shop@latest --plan', 6);
    expect(screen(project, planned.stdout)).toMatchInlineSnapshot(`
      "bkp restore  shop  bkp.yaml (sha256 <digest>), <time>

      Error: cannot restore db to <folder>/app.db: it is taken by a database of <size>
            hint: --mode replace or --mode merge, or another destination with --into
      Error: cannot restore tree to <folder>/tree: it is taken by a folder with 4 entries
            hint: --mode replace or --mode merge, or another destination with --into

      Actions:  < restore

        <  restore  shop@near  <id-1>, about <size>
                       db  mode new  there now: database of <size>  -> <folder>/app.db
                       tree  mode new  there now: folder with 4 entries  -> <folder>/tree
                       requested: asked for on the command line

      Refused: this restore would not begin; nothing would be changed."
    `);
    const refused = await project.bkp('restore shop@latest --yes', 6);
    expect(refused.stdout).toBe('');
    expect(screen(project, refused.stderr)).toMatchInlineSnapshot(`
      "error: cannot restore db to <folder>/app.db: it is taken by a database of <size>; cannot restore tree to <folder>/tree: it is taken by a folder with 4 entries
      hint: --mode replace or --mode merge, or another destination with --into"
    `);
    const json = linesOf(await project.bkp('restore shop@latest --yes --format json', 6));
    expect(json.at(-1)).toMatchObject({ type: 'error', exitCode: 6, error: { code: 'guard' } });
    expect(jsonOf(await project.bkp('restore shop@latest --plan --format json', 6))).toMatchObject({
      errors: [{ code: 'refused' }, { code: 'refused' }],
    });
    expect(await contents(project)).toEqual(before);
  });

  it('asks nobody in a pipe, and changes nothing then', async () => {
    const project = await fresh();
    const before = await contents(project);
    const { stdout, stderr } = await project.bkp('restore shop@latest --mode replace', 4);
    expect(stdout).toContain('WARNING, destructive: 2 destinations will be changed');
    expect(screen(project, stderr)).toMatchInlineSnapshot(`
      "error: cannot ask "Restore <id-1> over what is there?": this is not a terminal
      hint: give --yes to go on without being asked"
    `);
    expect(await contents(project)).toEqual(before);
  });

  it('brings everything back where nothing is left', async () => {
    const project = await fresh();
    await rm(project.path('app.db'));
    await rm(project.path('tree'), { recursive: true });
    await project.bkp('restore shop@latest --plan');
    const { stdout, stderr } = await project.bkp('restore shop@latest --yes');
    expect(screen(project, stdout)).toMatchInlineSnapshot(`
      "bkp restore  shop  bkp.yaml (sha256 <digest>), <time>

      Actions:  < restore

        <  restore  shop@near  <id-1>, about <size>
                       db  mode new  there now: no file  -> <folder>/app.db
                       tree  mode new  there now: nothing there  -> <folder>/tree
                       requested: asked for on the command line

      Plan: 1 restore. Reads about <size>, writes about <size>.
        db -> <folder>/app.db: table events 500, table users 2
        tree -> <folder>/tree: entries 4, files 2, bytes 7,006
      Restored: 1 done of 1 step."
    `);
    expect(screen(project, stderr)).toMatchInlineSnapshot(`
      "start  restore shop@near
                  restored db
                  restored tree
      done  restore shop@near  <id-1>"
    `);
    expect([project.count('events'), project.count('users')]).toEqual([500, 2]);
    expect(await readFile(project.path('tree', 'a.txt'), 'utf8')).toBe('first\n');
    await project.bkp('backup shop');
  });

  it('replaces, and keeps the state before for as long as told', async () => {
    const project = await fresh();
    project.sql('DELETE FROM events; DROP TABLE users');
    await writeFile(project.path('tree', 'a.txt'), 'changed');
    const { stdout } = await project.bkp('restore shop@latest --mode replace --keep-old 7d --yes');
    expect(screen(project, stdout)).toMatchInlineSnapshot(`
      "bkp restore  shop  bkp.yaml (sha256 <digest>), <time>

      Actions:  < restore

      WARNING, destructive: 2 destinations will be changed

        <  restore  shop@near  <id-1>, about <size>
                       db  mode replace  there now: database of <size>  -> <folder>/app.db
                       tree  mode replace  there now: folder with 4 entries  -> <folder>/tree
                       requested: asked for on the command line

      Plan: 1 restore. Reads about <size>, writes about <size>.
        db -> <folder>/app.db: table events 500, table users 2
        the state before is kept until <time>: <folder>/app.db.bkp-old-<id-1>
        tree -> <folder>/tree: entries 4, files 2, bytes 7,006
        the state before is kept until <time>: <folder>/.tree.bkp-old-<id-1>
      Restored: 1 done of 1 step."
    `);
    expect([project.count('events'), project.count('users')]).toEqual([500, 2]);
    const old = (await readdir(project.folder)).find((name) => name.startsWith('app.db.bkp-old')) ?? '';
    expect(project.count('events', old)).toBe(0);
    // While it is kept, nothing is planned; when its time is over, it goes.
    await project.bkp('plan --detailed-exitcode');
    const later = new Date(Date.now() + 8 * 86_400_000).toISOString().slice(0, 10);
    const { stdout: plan } = await project.bkp(`plan --at ${later}`);
    expect(plan).toContain('2 old states will be removed');
    expect(plan).toContain('expired:');
  });

  it('replaces without keeping anything when told so', async () => {
    const project = await fresh();
    await project.bkp('restore shop@latest --mode replace --keep-old 0s --yes');
    const { stdout } = await project.bkp('apply --yes');
    expect(stdout).toContain('clean');
    expect((await readdir(project.folder)).filter((name) => name.includes('bkp-old'))).toEqual([]);
  });

  it('merges after a safety snapshot of what was there', async () => {
    const project = await fresh();
    project.sql("DELETE FROM events WHERE id > 400; UPDATE events SET body = 'mine' WHERE id = 1");
    await rm(project.path('tree', 'sub'), { recursive: true });
    const { stdout, stderr } = await project.bkp('restore shop@latest --mode merge --yes');
    expect(screen(project, stdout)).toMatchInlineSnapshot(`
      "bkp restore  shop  bkp.yaml (sha256 <digest>), <time>

      Actions:  + create  < restore

        +  create  shop@near  db, tree
                       safety: what stands at the destination of db, tree is captured before it is changed

      WARNING, destructive: 2 destinations will be changed

        <  restore  shop@near  <id-1>, about <size>
                       db  mode merge  there now: database of <size>  -> <folder>/app.db
                       tree  mode merge  there now: folder with 2 entries  -> <folder>/tree
                       requested: asked for on the command line
                       only after create shop@near

      Plan: 1 create, 1 restore. Reads about <size>, writes about <size>.
        the state before is shop@<id-2>
        db -> <folder>/app.db: table events 100
        tree -> <folder>/tree: entries 2
      Restored: 2 done of 2 steps."
    `);
    expect(stderr).toMatch(/captured {2}db/);
    expect(project.count('events')).toBe(500);
    expect(project.count("events WHERE body = 'mine'")).toBe(1);
    expect((await stat(project.path('tree', 'sub', 'b.txt'))).size).toBe(7_000);
    expect((await project.bkp('show shop@safety')).stdout).toContain('created, safety');
    // It satisfies no schedule, is never the latest, and is not copied.
    expect((await project.bkp('show shop@latest')).stdout).toContain(id);
    await project.bkp('plan --detailed-exitcode');
    await project.bkp('restore shop@safety --mode replace --target db --yes');
    expect(project.count('events')).toBe(400);
  });

  it('merges without a safety snapshot when told so', async () => {
    const project = await fresh();
    project.sql('DELETE FROM events WHERE id > 400');
    const { stdout } = await project.bkp('restore shop@latest --mode merge --no-safety --target db --yes');
    expect(stdout).toContain('Restored: 1 done of 1 step.');
    expect(project.count('events')).toBe(500);
    expect(await project.ids()).toEqual([id]);
  });

  it('puts chosen targets somewhere else', async () => {
    const project = await fresh();
    await project.bkp('restore shop@latest --target db --into path=copy.db --yes');
    expect(project.count('events', 'copy.db')).toBe(500);
    await project.bkp('restore shop@latest --into db.path=second.db --into tree.root=out --yes');
    expect(project.count('events', 'second.db')).toBe(500);
    const lines = linesOf(
      await project.bkp('restore shop@latest --target db --into path=third.db --yes --format json'),
    );
    expect(lines.map(({ type }) => type)).toEqual(expect.arrayContaining(['plan', 'step-started', 'step-finished']));
    expect(lines.at(-1)).toMatchObject({
      type: 'result',
      exitCode: 0,
      steps: [{ action: 'restore', outcome: 'done' }],
    });
    expect(await readFile(project.path('tree', 'a.txt'), 'utf8')).toBe('first\n');
  });

  it('restores chosen paths only', async () => {
    const project = await fresh();
    const path = project.path('tree', 'a.txt');
    await project.bkp(`restore shop@latest --target tree --path ${path} --into root=out --yes`);
    expect(await readFile(project.path('out', path), 'utf8')).toBe('first\n');
    await expect(stat(project.path('out', path, '..', 'sub'))).rejects.toThrow(/ENOENT/);
    const { stderr } = await project.bkp('restore shop@latest --target db --path users --into path=x.db --plan', 4);
    expect(stderr).toContain('cannot restore single paths of db: sqlite has none');
  });

  it.each([
    [
      '--into path=x.db',
      'cannot read --into path: 2 targets are restored',
      'name one: --into db.path=x.db or --into tree.path=x.db',
    ],
    ['--target dbb', 'cannot restore target dbb: shop has db, tree', undefined],
    [
      '--target db --into pat=x',
      'cannot read --into pat: unknown key; did you mean "path"?',
      'keys: path, busyTimeout',
    ],
    ['--mode over', 'argument "over" is invalid', '`bkp help restore` shows what it takes'],
    ['--into db.path=x --into db2.path=x', 'no target "db2" is restored', undefined],
    ['--keep-old long', 'cannot read --keep-old long: not a duration', undefined],
  ])('refuses %s', async (flags, message, hint) => {
    const { stdout, stderr } = await base.bkp(`restore shop@latest ${flags} --yes`, 4);
    expect(stdout).toBe('');
    expect(stderr).toContain(message);
    if (hint !== undefined) expect(stderr).toContain(`hint: ${hint}`);
  });

  it('touches nothing when the snapshot is damaged everywhere', async () => {
    const project = await fresh();
    for (const repository of ['near', 'far']) await damage(project, repository, id, 'tree.tar.zst');
    const before = await contents(project);
    const { stderr } = await project.bkp(`restore shop@${id} --mode replace --yes`, 1);
    expect(stderr).toContain('tree.tar.zst');
    expect(await contents(project)).toEqual(before);
  });
});

describe('restores of a policy', () => {
  const RESTORES = `${POLICY}
restores:
  staging:
    from: shop@latest
    repeat: true
    targets:
      db: { into: { path: staging.db }, mode: replace }
`;

  it('are planned, done once for each snapshot, and remembered', async () => {
    const project = await fresh();
    await project.policy(RESTORES);
    const { stdout: plan } = await project.bkp('plan');
    expect(screen(project, plan)).toMatchInlineSnapshot(`
      "bkp plan  shop  bkp.yaml (sha256 <digest>), <time>

      Actions:  < restore

        <  restore  shop@near  <id-1>, about <size>
                       db  mode replace  there now: no file  -> <folder>/staging.db
                       requested: restore staging of the policy  bkp.yaml:21:3

      Plan: 1 restore. Reads about <size>, writes about <size>."
    `);
    const { stdout } = await project.bkp('apply --yes');
    expect(stdout).toContain('Applied: 1 done of 1 step.');
    expect(project.count('events', 'staging.db')).toBe(500);
    await project.bkp('plan --detailed-exitcode');
    // A new snapshot, a new restore; now something is there.
    await project.bkp('backup shop');
    const again = await project.bkp('plan --detailed-exitcode', 2);
    expect(again.stdout).toContain('WARNING, destructive: 1 destination will be changed');
    await project.bkp('apply --yes');
    await project.bkp('plan --detailed-exitcode');
  });

  it('are done once for one snapshot, and held back when something is in the way', async () => {
    const project = await fresh();
    await project.policy(RESTORES.replace('latest\n    repeat: true', id).replace(', mode: replace', ''));
    await writeFile(project.path('staging.db'), 'not a database');
    await chmod(project.path('staging.db'), 0o600);
    const { stdout } = await project.bkp('apply --yes', 6);
    expect(screen(project, stdout)).toMatchInlineSnapshot(`
      "bkp plan  shop  bkp.yaml (sha256 <digest>), <time>

      Actions:  . withheld

        .  withheld shop@near  restore <id-1>
                       requested: restore staging cannot be done: cannot restore db to <folder>/staging.db: it is taken by a file of <size> that is not a SQLite database (\`mode: replace\` or \`mode: merge\`, or another destination under \`into\`)  bkp.yaml:21:3

      Nothing can be done now. 1 snapshot kept. 1 withheld."
    `);
    expect(await readFile(project.path('staging.db'), 'utf8')).toBe('not a database');
    await rm(project.path('staging.db'));
    await project.bkp('apply --yes');
    expect(project.count('events', 'staging.db')).toBe(500);
    await rm(project.path('staging.db'));
    await project.bkp('plan --detailed-exitcode');
  });
});
