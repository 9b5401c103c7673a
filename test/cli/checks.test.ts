import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { appliedProject, copyOf, damage, POLICY, testProject } from './project.ts';
import { jsonOf } from './run-bkp.ts';
import { screen } from './screen.ts';

const base = await appliedProject();
const [id = ''] = await base.ids();

describe('bkp validate', () => {
  it('says that a policy is valid, and what it warns of', async () => {
    const { stdout, stderr } = await base.bkp('validate');
    expect(stdout).toBe('valid bkp.yaml, with 1 warning\n');
    expect(stderr).toContain('BKP2044 warning: backup "shop" has no copy off this machine');
    expect((await base.bkp('validate --strict', 4)).stdout).toBe('');
    expect(jsonOf(await base.bkp('validate --format json'))).toMatchObject({
      valid: true,
      errorCount: 0,
      warningCount: 1,
    });
    expect((await base.bkp('validate --format github')).stdout).toMatch(/^::warning file=bkp.yaml,line=15,/);
  });

  it('says everything that is wrong at once', async () => {
    const project = await testProject(POLICY.replace('keepLast', 'kepLast').replace('[near, far]', '[near, fra]'));
    const { stdout, stderr } = await project.bkp('validate', 4);
    expect(stdout).toBe('');
    expect(stderr).toContain('2 errors');
    expect(jsonOf(await project.bkp('validate --format json', 4))).toMatchObject({ valid: false, errorCount: 2 });
    expect((await project.bkp('validate --format github', 4)).stdout).toMatch(/^::error file=bkp.yaml,line=\d+,col=/);
    expect(jsonOf(await project.bkp('validate --online --format json', 4))).toMatchObject({ valid: false });
  });

  it('reaches everything online, one line per check', async () => {
    const { stdout } = await base.bkp('validate --online');
    expect(screen(base, stdout)).toMatchInlineSnapshot(`
      "valid bkp.yaml, with 1 warning
      ok  target db  sqlite, <size>
      ok  target tree  files <tar>, <size>
      ok  repository near  <folder>/near, 1 snapshot, writable, <size> free
      ok  repository far  <folder>/far, 1 snapshot, writable, <size> free"
    `);
    expect(jsonOf(await base.bkp('validate --online --format json'))).toEqual({
      formatVersion: 1,
      ok: true,
      checks: ['target db', 'target tree', 'repository near', 'repository far'].map((subject) => ({
        subject,
        ok: true,
        warning: false,
        message: expect.any(String),
        hint: null,
      })),
    });
  });

  it('exits 6 when an online check fails, with a hint for each', async () => {
    const project = await copyOf(base);
    await rm(project.path('app.db'));
    await rename(project.path('far'), project.path('unmounted'));
    const { stdout } = await project.bkp('validate --online', 6);
    expect(screen(project, stdout)).toMatchInlineSnapshot(`
      "valid bkp.yaml, with 1 warning
      FAIL  target db  <folder>/app.db does not exist
            hint: correct \`path\`, or mount its file system
      ok  target tree  files <tar>, <size>
      ok  repository near  <folder>/near, 1 snapshot, writable, <size> free
      FAIL  repository far  cannot use repository far: <folder>/far does not exist
            hint: there was one before: is it mounted? \`bkp init --repository far\` makes a new one all the same"
    `);
    expect(jsonOf(await project.bkp('validate --online --format json', 6))).toMatchObject({ ok: false });
    expect((await project.bkp('ping', 6)).stdout).toContain('FAIL  target db');
  });

  it('checks what a restore needs: hashes, formats, destinations', async () => {
    const project = await copyOf(base);
    const { stdout } = await project.bkp('validate --online --for restore --snapshot shop@latest');
    expect(screen(project, stdout)).toMatchInlineSnapshot(`
      "valid bkp.yaml, with 1 warning
      ok  target db  sqlite, <size>
      ok  target tree  files <tar>, <size>
      ok  repository near  <folder>/near, 1 snapshot, writable, <size> free
      ok  repository far  <folder>/far, 1 snapshot, writable, <size> free
      ok  snapshot shop@latest  every stored byte is as the manifest has it
      ok  restore db  <folder>/app.db is taken (database of <size>): --mode replace or --mode merge
      ok  restore tree  <folder>/tree is taken (folder with 4 entries): --mode replace or --mode merge"
    `);
    for (const repository of ['near', 'far']) await damage(project, repository, id, 'db.db.zst');
    const { stdout: bad } = await project.bkp('validate --online --for restore --snapshot shop@latest', 6);
    expect(bad).toContain('FAIL  snapshot shop@latest');
    await project.bkp('validate --online --for restore --snapshot shop@2001-01-01', 6);
  });

  it('checks destinations for a mode that is named', async () => {
    const question = 'validate --online --for restore --snapshot shop@latest --target db';
    const { stdout: taken } = await base.bkp(`${question} --mode new`, 6);
    expect(taken).toContain('FAIL  restore db');
    expect(taken).not.toContain('restore tree');
    expect((await base.bkp(`${question} --mode replace`)).stdout).toContain('as --mode replace expects');
    expect((await base.bkp(`${question} --mode new --into path=elsewhere.db`)).stdout).toContain('is free');
  });

  it.each([
    ['--for restore', 'cannot validate for a restore: --for restore and --snapshot go together'],
    ['--snapshot shop@latest', 'cannot validate for a restore: --for restore and --snapshot go together'],
    ['--for restore --snapshot shop@latest', 'cannot validate for a restore offline: add --online'],
    ['--mode new', 'cannot validate for a restore: --target, --into and --mode need --for restore'],
  ])('refuses %s', async (flags, message) => {
    expect((await base.bkp(`validate ${flags}`, 4)).stderr).toBe(`error: ${message}\n`);
  });
});

describe('bkp ping', () => {
  it('reaches everything and writes nothing', async () => {
    const project = await copyOf(base);
    expect(screen(project, (await project.bkp('ping')).stdout)).toMatchInlineSnapshot(`
      "ok  target db  sqlite, <size>
      ok  target tree  files <tar>, <size>
      ok  repository near  <folder>/near, 1 snapshot, <size> free
      ok  repository far  <folder>/far, 1 snapshot, <size> free"
    `);
    expect(jsonOf(await project.bkp('ping --format json'))).toMatchObject({ ok: true });
  });
});

describe('bkp status', () => {
  it('is well', async () => {
    const { stdout, stderr } = await base.bkp('status');
    expect(screen(base, stdout)).toMatchInlineSnapshot(`
      "BACKUP  STATE  LAST GOOD  AGE  DUE  NEXT  COPIES  SIZE  STORED
      shop  good  <id-1>  <duration>  <time>  <time>  2/2  <size>  <size>
      All is well."
    `);
    expect(stderr).toBe('');
    expect(jsonOf(await base.bkp('status --format json'))).toEqual({
      formatVersion: 1,
      policy: 'shop',
      healthy: true,
      backups: [
        {
          backup: 'shop',
          state: 'good',
          lastGood: id,
          lastGoodAt: expect.any(String),
          ageSeconds: expect.any(Number),
          dueAt: expect.any(String),
          nextAt: expect.any(String),
          copies: 2,
          wantedCopies: 2,
          sizeBytes: expect.any(Number),
          storedBytes: expect.any(Number),
          lastError: null,
        },
      ],
      warnings: [],
      errors: [],
    });
  });

  it('exits 2 when a backup is missing or late, with the last error', async () => {
    const project = await testProject(POLICY.replace('app.db', 'gone.db').replace('[db, tree]', '[db]'));
    await project.bkp('apply --yes --init-repositories', 1);
    const { stdout } = await project.bkp('status', 2);
    expect(screen(project, stdout)).toMatchInlineSnapshot(`
      "BACKUP  STATE  LAST GOOD  AGE  DUE  NEXT  COPIES  SIZE  STORED
      shop  missing  -  -  <time>  <time>  0/2  -  <size>
      wrong: shop has no good snapshot
      wrong: shop failed <time>: cannot copy the database: <folder>/gone.db does not exist
      Not all is well. \`bkp plan\` shows what would be done about it."
    `);
    const late = await copyOf(base);
    await late.edit('schedule: "0 0 1 1 *"', 'schedule: { every: 1s }');
    await expect.poll(async () => (await late.run(['status'])).stdout, { timeout: 30_000 }).toContain('shop is late');
  });

  it('exits 2 when a manifest was deleted by hand, and calls it drift', async () => {
    const project = await copyOf(base);
    await rm(project.path('near', 'manifests', 'shop', `${id}.json`));
    const { stdout } = await project.bkp('status', 2);
    expect(screen(project, stdout)).toMatchInlineSnapshot(`
      "BACKUP  STATE  LAST GOOD  AGE  DUE  NEXT  COPIES  SIZE  STORED
      shop  good  <id-1>  <duration>  <time>  <time>  1/2  <size>  <size>
      warning: snapshot <id-1> was stored in near and is gone; nobody released it
      hint: a copy of its manifest brings it back where its files are still there; they are left alone
      wrong: shop has its last good snapshot in 1 of 2 repositories
      Not all is well. \`bkp plan\` shows what would be done about it."
    `);
    expect(jsonOf(await project.bkp('status --format json', 2))).toMatchObject({
      healthy: false,
      warnings: [{ code: 'drift' }],
    });
  });
});

describe('bkp doctor', () => {
  it('shows tools and versions', async () => {
    const { stdout } = await base.bkp('doctor');
    expect(stdout).toMatch(/^STATE +TOOL +VERSION +USED FOR +PATH\nok +bkp +\S+\nok +node +2\d\.\d+\.\d+\n/);
    expect(stdout).toMatch(/^ok +tar +\d\S+ +files targets +\//m);
    expect(jsonOf(await base.bkp('doctor --format json'))).toMatchObject({
      ok: true,
      tools: [{ tool: 'zstd' }, { tool: 'tar' }],
    });
  });

  it('exits 6 when a needed tool is missing, and names the package', async () => {
    const project = await copyOf(base);
    await mkdir(project.path('bin'));
    await symlink(process.execPath, project.path('bin', 'node'));
    const env = { PATH: project.path('bin') };
    const { exitCode, stdout } = await project.run(['doctor'], { env });
    expect(exitCode).toBe(6);
    expect(screen(project, stdout)).toMatchInlineSnapshot(`
      "STATE  TOOL  VERSION  USED FOR  PATH
      ok  bkp  <version>
      ok  node  <node>
      absent  zstd  -  fast compression  -
      MISSING  tar  -  files targets  -
      zstd makes fast compression possible; without it Node.js does it, on one core: <install> zstd
      tar is needed for files targets: <install> tar"
    `);
    const json = await project.run(['doctor', '--format', 'json'], { env });
    expect(jsonOf(json)).toMatchObject({
      ok: false,
      tools: [
        { path: null, required: false },
        { path: null, required: true },
      ],
    });
    // A capture says the same, with the way out.
    const backup = await project.run(['backup', 'shop'], { env });
    expect(backup.exitCode).toBe(7);
    expect(`${backup.stdout}${backup.stderr}`).toContain('no such program on PATH');
    expect(backup.stderr).toMatch(/^ {2}failed +tree .*\n {2}hint +`bkp doctor` names the package/m);
  });

  it('looks for what each target needs, in the folder that it names', async () => {
    const target = (more: string): string => `db: { type: postgres, database: shop, ${more} }`;
    const project = await testProject(
      POLICY.replace(/db: \{.*\}/, target('tools: clients'))
        .replace('[db, tree]', '[db]')
        .replace(/ {2}tree: .*\n/, ''),
    );
    await mkdir(project.path('clients'));
    const install = (tool: string): Promise<void> =>
      writeFile(project.path('clients', tool), `#!/bin/sh\necho '${tool} (PostgreSQL) 17.4'\n`, { mode: 0o755 });
    const needed = async (exitCode: 0 | 6): Promise<readonly string[]> => {
      const { tools } = jsonOf(await project.bkp('doctor --format json', exitCode)) as unknown as {
        readonly tools: readonly { readonly tool: string; readonly path: string | null; readonly required: boolean }[];
      };
      return tools.filter(({ required }) => required).map(({ tool, path }) => `${tool} ${path}`);
    };
    const found = (tool: string): string => `${tool} ${project.path('clients', tool)}`;
    expect(await needed(6)).toEqual(['pg_dump null', 'pg_restore null']);
    await install('pg_dump');
    await install('pg_restore');
    expect(await needed(0)).toEqual([found('pg_dump'), found('pg_restore')]);
    await project.edit(target('tools: clients'), target('tools: clients, format: plain, globals: true'));
    expect(await needed(6)).toEqual([found('pg_dump'), found('pg_restore'), 'pg_dumpall null', 'psql null']);
    await install('pg_dumpall');
    await install('psql');
    expect((await project.bkp('doctor')).stdout).toMatch(/^ok +psql +17\.4 +postgres targets +\//m);
    await project.edit('format: plain', 'format: directory');
    expect(await needed(0)).toEqual([
      found('pg_dump'),
      found('pg_restore'),
      found('pg_dumpall'),
      expect.stringMatching(/^tar \//),
    ]);
  });

  it('lists what all engines could use where there is no policy', async () => {
    const project = await copyOf(base);
    await rm(project.path('bkp.yaml'));
    await mkdir(project.path('bin'));
    await symlink(process.execPath, project.path('bin', 'node'));
    const { exitCode, stdout } = await project.run(['doctor'], { env: { PATH: project.path('bin') } });
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^absent +tar +- +files targets +-$/m);
    expect(stdout).toMatch(/^tar is needed for files targets: /m);
    for (const tool of ['pg_dump', 'pg_restore', 'pg_dumpall', 'psql'])
      expect(stdout).toMatch(new RegExp(`^\\w+ +${tool} +\\S+ +postgres targets`, 'm'));
  });
});

describe('references', () => {
  it('that are not set are named with their line, and only where they are needed', async () => {
    const project = await copyOf(base);
    await project.edit('path: app.db', 'path: app.db, busyTimeout: "${env:SHOP_BUSY}"');
    await project.bkp('validate');
    await project.bkp('list');
    await project.bkp('plan --detailed-exitcode');
    const { stdout } = await project.bkp('ping', 6);
    expect(stdout).toMatch(/^FAIL +target db +.*SHOP_BUSY.*bkp.yaml:9:/m);
    const set = await project.run(['ping'], { env: { SHOP_BUSY: '9s' } });
    expect([set.exitCode, set.stderr]).toEqual([0, '']);
  });
});

describe('a repository that cannot be written', () => {
  it('is told by validate --online, while ping only reads', async () => {
    const project = await copyOf(base);
    await rm(project.path('near', 'locks'), { recursive: true });
    await writeFile(project.path('near', 'locks'), 'a file where a folder was');
    expect((await project.bkp('validate --online', 6)).stdout).toContain('FAIL  repository near');
  });
});
