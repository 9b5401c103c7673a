import { readFile, stat } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { appliedProject, damage, POLICY, renewed } from './project.ts';
import { jsonOf, makePlace } from './run-bkp.ts';
import { screen } from './screen.ts';

// The machine and its policy are gone: another machine, the repository, nothing else.
const base = await appliedProject();
const [id = ''] = await base.ids();
const fresh = await renewed(base);

describe('without a policy', () => {
  it('lists, shows, verifies, compares and downloads', async () => {
    const project = await fresh();
    const place = await makePlace();
    const near = project.path('near');
    const listed = await place.bkp(`list --repository ${near}`);
    expect(screen(project, listed.stdout)).toMatchInlineSnapshot(`
      "ID  STATUS  CREATED AT  SIZE  STORED  TARGETS  BACKUP  REPOSITORIES  MARKS
      <id-1>  created  <time>  <size>  <size>  db,tree  shop  repository  verified"
    `);
    expect(jsonOf(await place.bkp(`list --repository ${near} --format json`))['snapshots']).toHaveLength(1);
    expect((await place.bkp(`show --repository ${near} shop@latest --policy`)).stdout).toBe(POLICY);
    expect((await place.bkp(`show --repository ${near} ${id}`)).stdout).toContain(`${near}/snapshots/shop/${id}/`);
    expect((await place.bkp(`verify --repository ${near} --deep`)).stdout).toContain('Good: 1 stored snapshot.');
    expect((await place.bkp(`diff --repository ${near} shop@latest ${id}`)).stdout).toContain('No differences');
    await place.bkp(`download --repository ${near} shop@latest out --native --target db`);
    expect((await readFile(place.path('out', 'db.db'))).toString('latin1', 0, 15)).toBe('SQLite format 3');
    await place.remove();
  });

  it('restores into places that are named', async () => {
    const project = await fresh();
    const place = await makePlace();
    const near = project.path('near');
    const { stderr } = await place.bkp(`restore --repository ${near} shop@latest --yes`, 4);
    expect(stderr).toMatchInlineSnapshot(`
      "error: cannot restore without a policy and without a destination
      hint: say where to: --into path=/srv/app.db or --into root=/srv/restore (target.key=value for several targets)
      "
    `);
    const { stdout } = await place.bkp(
      `restore --repository ${near} shop@latest --into db.path=new.db --into tree.root=new --yes`,
    );
    expect(screen(place, screen(project, stdout))).toMatchInlineSnapshot(`
      "bkp restore  shop  (no policy), <time>

      Actions:  < restore

        <  restore  shop@repository  <id-1>, about <size>
                       db  mode new  there now: no file  -> <folder>/new.db
                       tree  mode new  there now: nothing there  -> paths=tree root=<folder>/new
                       requested: asked for on the command line

      Plan: 1 restore. Reads about <size>, writes about <size>.
        db -> <folder>/new.db: table events 500, table users 2
        tree -> paths=tree root=<folder>/new: entries 4, files 2, bytes 7,006
      Restored: 1 done of 1 step."
    `);
    const database = new DatabaseSync(place.path('new.db'));
    expect(database.prepare('SELECT count(*) AS n FROM events').get()).toEqual({ n: 500 });
    database.close();
    expect(await readFile(place.path('new', project.path('tree', 'a.txt')), 'utf8')).toBe('first\n');
    // Asked for once more, it is in its own way.
    await place.bkp(`restore --repository ${near} shop@latest --into db.path=new.db --target db --yes`, 6);
    await place.remove();
  });

  it('finds damage and marks it', async () => {
    const project = await fresh();
    const place = await makePlace();
    await damage(project, 'near', id, 'db.db.zst');
    expect((await place.bkp(`verify --repository ${project.path('near')}`, 1)).stdout).toContain('DAMAGED');
    expect((await project.bkp('list')).stdout).toContain('DAMAGED@near');
    await place.remove();
  });

  it('does not change what only a policy may', async () => {
    const project = await fresh();
    const { stderr } = await project.bkp(`destroy --repository ${project.path('near')} ${id} --yes`, 4);
    expect(stderr).toContain('cannot destroy without a policy');
  });

  it.each([
    ['/no/such/folder', 1, /^error: cannot open repository \/no\/such\/folder: it does not exist\n/],
    [
      '.',
      1,
      /^error: cannot open repository \.: bkp-repository.json is missing\nhint: give the folder or prefix that holds/,
    ],
    [
      'elsewhere',
      4,
      /^error: cannot find repository elsewhere: the policy has near, far\nhint: without a policy, give its path\n/,
    ],
  ] as const)('says what is wrong with --repository %s', async (repository, exitCode, message) => {
    const project = await fresh();
    for (const command of ['list', 'show shop@latest', 'verify', 'restore shop@latest', 'download shop@latest x'])
      expect((await project.bkp(`${command} --repository ${repository}`, exitCode)).stderr).toMatch(message);
    expect(jsonOf(await project.bkp(`list --format json --repository ${repository}`, exitCode))).toMatchObject({
      type: 'error',
      exitCode,
    });
    await expect(stat(project.path('x'))).rejects.toThrow(/ENOENT/);
  });

  it('does without a cache', async () => {
    const project = await fresh();
    const { exitCode } = await project.run(['list', '--repository', project.path('near')], {
      env: { XDG_CACHE_HOME: project.path('app.db') },
    });
    expect(exitCode).toBe(0);
  });
});
