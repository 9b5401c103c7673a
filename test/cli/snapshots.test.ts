import { readFile, rename } from 'node:fs/promises';
import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { appliedProject, copyOf, damage, testProject } from './project.ts';
import { jsonOf, PROGRAM } from './run-bkp.ts';
import { screen } from './screen.ts';

const base = await appliedProject();
const [id = ''] = await base.ids();

describe('bkp list', () => {
  it('shows one line per snapshot with all its repositories', async () => {
    const { stdout, stderr } = await base.bkp('list');
    expect(screen(base, stdout)).toMatchInlineSnapshot(`
      "ID  STATUS  CREATED AT  SIZE  STORED  TARGETS  BACKUP  REPOSITORIES  MARKS
      <id-1>  created  <time>  <size>  <size>  db,tree  shop  far,near  verified"
    `);
    expect(stderr).toBe('');
    expect(stdout.split('\n')[0]).toMatch(/^ID +STATUS +CREATED AT +SIZE +STORED +TARGETS/);
  });

  it('has the fixed field names in JSON, a line of tabs for scripts', async () => {
    const { snapshots } = jsonOf(await base.bkp('list shop --format json'));
    expect(snapshots).toEqual(
      ['far', 'near'].map((repository) => ({
        id,
        backup: 'shop',
        repository,
        kind: 'backup',
        status: 'created',
        createdAt: expect.stringMatching(/^\d{4}-.*Z$/),
        sizeBytes: expect.any(Number),
        storedBytes: expect.any(Number),
        targets: ['db', 'tree'],
        verifiedAt: expect.stringMatching(/^\d{4}-.*Z$/),
        drilledAt: null,
        protected: false,
        damaged: false,
        unsigned: false,
        reference: false,
      })),
    );
    const { stdout } = await base.bkp('list --format plain');
    expect(stdout.split('\n').map((line) => line.split('\t')[0])).toEqual([id, id, '']);
    expect(stdout.split('\n')[1]?.split('\t').slice(4)).toEqual([
      'db,tree',
      'shop',
      'near',
      'verified',
      expect.stringMatching(/^\d+$/),
    ]);
  });

  it('says that there are none, and knows slips from names of the past', async () => {
    const project = await testProject();
    await project.bkp('init --repository near');
    await project.bkp('init --repository far');
    expect((await project.bkp('list')).stdout).toBe('No snapshots.\n');
    expect((await project.bkp('list shop')).stdout).toBe('No snapshots.\n');
    expect((await project.bkp('list shap', 4)).stderr).toContain('did you mean shop?');
    expect(jsonOf(await project.bkp('list --format json'))).toEqual({ formatVersion: 1, snapshots: [] });
  });

  it('exits 7 when a repository is missing, and shows the others', async () => {
    const project = await copyOf(base);
    await rename(project.path('far'), project.path('unmounted'));
    const { stdout, stderr } = await project.bkp('list', 7);
    expect(stdout).toContain(id);
    expect(screen(project, stderr)).toMatchInlineSnapshot(`
      "warning: cannot use repository far: <folder>/far does not exist
      hint: there was one before: is it mounted? \`bkp init --repository far\` makes a new one all the same"
    `);
    expect(jsonOf(await project.bkp('list --format json', 7))['snapshots']).toHaveLength(1);
    expect(jsonOf(await project.bkp('list --repository near --format json'))['snapshots']).toHaveLength(1);
  });

  it('does not mind a reader that leaves', () => {
    const command = `"${process.execPath}" "${PROGRAM}" list | head -n 1; echo "\${PIPESTATUS[0]}"`;
    const output = execFileSync('bash', ['-c', command], { cwd: base.folder, env: base.env, encoding: 'utf8' });
    expect(output).toMatch(/^ID .*\n0\n$/);
  });

  it('touches no target and needs no secret', async () => {
    const project = await copyOf(base);
    await project.edit('path: app.db', 'path: app.db, checks: fast');
    await project.edit('{ type: directory, path: far }', '{ type: directory, path: "${env:NOWHERE}" }');
    await rename(project.path('app.db'), project.path('gone.db'));
    const { stdout, stderr } = await project.bkp('list', 7);
    expect(stdout).toContain(id);
    expect(stderr).toContain('NOWHERE');
  });
});

describe('bkp show', () => {
  it('shows a snapshot with every way to name it', async () => {
    const { stdout } = await base.bkp('show shop@latest');
    expect(screen(base, stdout)).toMatchInlineSnapshot(`
      "shop@<id-1>
        status  created
        taken  <time>
        for  tick <time>
        policy  shop
        by  bkp <version>
        stored in  near: good, verified <time>
                   <folder>/near/snapshots/shop/<id-1>/
                   far: good, verified <time>
                   <folder>/far/snapshots/shop/<id-1>/

      db  sqlite  captured
        artifact  db.db.zst  <size>, stored <size>
        applicationId  0
        encoding  UTF-8
        foreignKeyViolations  0
        pageCount  6
        pageSize  4096
        tables.events  500
        tables.users  2
        userVersion  0
        virtualTables  0
        by hand  zstd -dc db.db.zst > <folder>/app.db

      tree  files  captured
        artifact  tree.tar.zst  <size>, stored <size>
        bytes  7006
        digest  tree1:<digest>
        entries  4
        files  2
        folders  2
        links  0
        by hand  zstd -dc tree.tar.zst | tar -x -p --numeric-owner --same-owner --xattrs --xattrs-include='*' --acls -C / -f -"
    `);
    const day = `${id.slice(0, 4)}-${id.slice(4, 6)}-${id.slice(6, 8)}`;
    for (const name of [`shop@${id}`, id, id.slice(0, 20), `shop@${id.slice(0, 20)}`, `shop@${day}`])
      expect((await base.bkp(`show ${name}`)).stdout).toBe(stdout);
  });

  it('prints manifest and marks as JSON, and the policy as it was', async () => {
    const shown = jsonOf(await base.bkp('show shop@latest --format json'));
    expect(shown).toMatchObject({
      formatVersion: 1,
      repositories: ['near', 'far'],
      marks: [{ kind: 'verified' }],
      manifest: { formatVersion: 1, policy: 'shop', backup: 'shop', id, kind: 'backup', status: 'created' },
    });
    expect((await base.bkp('show shop@latest --policy')).stdout).toBe(await readFile(base.path('bkp.yaml'), 'utf8'));
  });

  it.each([
    ['shap@latest', 4, 'cannot find snapshot shap@latest: there is no backup shap', 'did you mean shop@latest?'],
    ['2001', 1, 'cannot find snapshot 2001: no id begins with it', 'name it like backup@latest'],
    [
      'shop@2001-01-01',
      1,
      'cannot find snapshot shop@2001-01-01: there is no good snapshot of 2001-01-01 (UTC)',
      '`bkp list`',
    ],
    ['shop@safety', 1, 'cannot find snapshot shop@safety: there is no safety snapshot', '`bkp list`'],
    ['no/plan.json', 4, 'cannot show plan no/plan.json: there is no such file', undefined],
  ] as const)('does not find %s', async (name, exitCode, message, hint) => {
    const { stdout, stderr } = await base.bkp(`show ${name}`, exitCode);
    expect(stdout).toBe('');
    expect(stderr).toContain(`error: ${message}`);
    if (hint !== undefined) expect(stderr).toContain(`hint: ${hint}`);
    expect(jsonOf(await base.bkp(`show ${name} --format json`, exitCode))).toMatchObject({ type: 'error', exitCode });
  });
});

describe('bkp verify', () => {
  it('hashes everything, or lets the engines read it', async () => {
    const { stdout, stderr } = await base.bkp('verify');
    expect(screen(base, stdout)).toMatchInlineSnapshot(`
      "good  shop@<id-1>  near  every stored byte hashed
      good  shop@<id-1>  far  every stored byte hashed
      Good: 2 stored snapshots."
    `);
    expect(stderr).toBe('');
    expect(screen(base, (await base.bkp('verify shop@latest --deep')).stdout)).toContain('read whole by its engines');
    expect(jsonOf(await base.bkp('verify --backup shop --format json'))).toEqual({
      formatVersion: 1,
      verified: ['near', 'far'].map((repository) => ({
        snapshot: `shop@${id}`,
        repository,
        ok: true,
        deep: false,
        reasons: [],
      })),
    });
  });

  it('finds damage, and apply heals it from the other repository', async () => {
    const project = await copyOf(base);
    await damage(project, 'near', id, 'db.db.zst');
    const { stdout } = await project.bkp('verify', 1);
    expect(screen(project, stdout)).toMatchInlineSnapshot(`
      "DAMAGED  shop@<id-1>  near  cannot read snapshots/shop/<id-1>/db.db.zst: it has <n> bytes, the manifest says <n>
      good  shop@<id-1>  far  every stored byte hashed
      Damaged: 1 of 2 stored snapshots."
    `);
    expect((await project.bkp('list')).stdout).toContain('DAMAGED@near');
    expect((await project.bkp('show shop@latest')).stdout).toMatch(/near: DAMAGED/);
    expect(screen(project, (await project.bkp('status', 2)).stdout)).toMatchInlineSnapshot(`
      "BACKUP  STATE  LAST GOOD  AGE  DUE  NEXT  COPIES  SIZE  STORED
      shop  good  <id-1>  <duration>  <time>  <time>  1/2  <size>  <size>
      wrong: shop has its last good snapshot in 1 of 2 repositories
      Not all is well. \`bkp plan\` shows what would be done about it."
    `);
    expect(screen(project, (await project.bkp('plan --detailed-exitcode', 2)).stdout)).toMatchInlineSnapshot(`
      "bkp plan  shop  bkp.yaml (sha256 <digest>), <time>

      Actions:  +/- replace

        +/- replace  shop@near  <id-1> from far, about <size>
                       replica-corrupt: damaged: db.db.zst; a good copy is in far  bkp.yaml:15:5

      Plan: 1 replace. Reads about <size>, writes about <size>."
    `);
    await project.bkp('apply --yes');
    expect((await project.bkp('verify')).stdout).toContain('Good: 2 stored snapshots.');
    await project.bkp('plan --detailed-exitcode');
    expect((await project.bkp('list')).stdout).not.toContain('DAMAGED');
  });

  it('says damage in JSON, and captures anew when no copy is good', async () => {
    const project = await copyOf(base);
    await damage(project, 'near', id, 'tree.tar.zst');
    await damage(project, 'far', id, 'tree.tar.zst');
    expect(jsonOf(await project.bkp('verify --format json', 1))['verified']).toEqual([
      expect.objectContaining({ ok: false, repository: 'near', reasons: [expect.any(String)] }),
      expect.objectContaining({ ok: false, repository: 'far' }),
    ]);
    const { stderr } = await project.bkp('show shop@latest', 1);
    expect(stderr).toContain('cannot find snapshot shop@latest: there is no good snapshot');
    expect((await project.bkp('plan')).stdout).toContain('verify-failed');
  });
});
