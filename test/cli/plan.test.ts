import { readFile, rename, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { appliedProject, copyOf, POLICY, testProject } from './project.ts';
import { jsonOf, makePlace } from './run-bkp.ts';
import { screen } from './screen.ts';

const base = await appliedProject();

describe('bkp plan', () => {
  it('does not take a missing repository for an empty one', async () => {
    const project = await testProject();
    const { stdout, stderr } = await project.bkp('plan');
    expect(screen(project, stdout)).toMatchInlineSnapshot(`
      "bkp plan  shop  bkp.yaml (sha256 <digest>), <time>

      Warning: cannot use repository near: <folder>/near does not exist
            hint: is it mounted? a new one is made by \`bkp init --repository near\` or \`bkp apply --init-repositories\`
      Warning: cannot use repository far: <folder>/far does not exist
            hint: is it mounted? a new one is made by \`bkp init --repository far\` or \`bkp apply --init-repositories\`

      Actions:  . withheld

        .  withheld shop@near  create
                       identity-missing: near is missing, or is not the repository it should be  bkp.yaml:15:5
        .  withheld shop@far  create
                       identity-missing: far is missing, or is not the repository it should be  bkp.yaml:15:5

      Nothing can be done now. 0 snapshots kept. 2 withheld."
    `);
    expect(stderr).toBe('');
    // Withheld steps are not pending.
    await project.bkp('plan --detailed-exitcode');
  });

  it('shows a first plan', async () => {
    const project = await testProject();
    const { stdout, stderr } = await project.bkp('plan --init-repositories --detailed-exitcode', 2);
    expect(screen(project, stdout)).toMatchInlineSnapshot(`
      "bkp plan  shop  bkp.yaml (sha256 <digest>), <time>

      Note: repository near does not exist yet and will be made
      Note: repository far does not exist yet and will be made

      Actions:  + create  > copy  ? verify

        +  create  shop@near  db, tree
                       first-snapshot: no good snapshot yet  bkp.yaml:13:3
        >  copy  shop@far  the new snapshot from near
                       replica-missing: the new snapshot belongs into every repository of the backup  bkp.yaml:15:5
        ?  verify  shop@near  the new snapshot
                       verify-due: stored by this plan, not hashed since  bkp.yaml:18:5
        ?  verify  shop@far  the new snapshot
                       verify-due: stored by this plan, not hashed since  bkp.yaml:18:5

      Plan: 1 create, 1 copy, 2 verify."
    `);
    expect(stderr).toBe('');
    await expect(readFile(project.path('near', 'bkp-repository.json'))).rejects.toThrow(/ENOENT/);
  });

  it('has nothing to do after an apply', async () => {
    const { stdout, stderr } = await base.bkp('plan --detailed-exitcode');
    expect(screen(base, stdout)).toMatchInlineSnapshot(`
      "bkp plan  shop  bkp.yaml (sha256 <digest>), <time>

      No changes. 1 snapshot kept."
    `);
    expect(stderr).toBe('');
  });

  it('gives the same bytes for the same world, times in the header only', async () => {
    const [first, second] = [await base.bkp('plan --at 2030-01-02'), await base.bkp('plan --at 2030-01-02')];
    expect(second.stdout).toBe(first.stdout);
    expect(first.stdout).toContain('as of 2030-01-02T00:00Z');
    expect(first.stdout).toContain('schedule-due: tick 2030-01-01T00:00Z has no good snapshot, 1d late');
  });

  it('shows what changed in a definition, and destructive steps last', async () => {
    const project = await copyOf(base);
    await project.edit('paths: [tree]', 'paths: [tree], exclude: ["**/*.tmp"]');
    await project.edit('keepLast: 2', 'keepLast: 1');
    expect(screen(project, (await project.bkp('plan')).stdout)).toMatchInlineSnapshot(`
      "bkp plan  shop  bkp.yaml (sha256 <digest>), <time>

      Actions:  + create  > copy  ? verify  - prune

        +  create  shop@near  db, tree, about <size>
                       definition-changed: target tree changed  bkp.yaml:13:3
                       tree:
                         + exclude:
                         +  - "**/*.tmp"
        >  copy  shop@far  the new snapshot from near, about <size>
                       replica-missing: the new snapshot belongs into every repository of the backup  bkp.yaml:15:5
        ?  verify  shop@near  the new snapshot, about <size>
                       verify-due: stored by this plan, not hashed since  bkp.yaml:18:5
        ?  verify  shop@far  the new snapshot, about <size>
                       verify-due: stored by this plan, not hashed since  bkp.yaml:18:5

      WARNING, destructive: 2 snapshots will be pruned

        -  prune  shop@near  <id-1>
                       retention-exceeded: no retention rule keeps it  bkp.yaml:17:5
                       only after create shop@near, verify shop@near
        -  prune  shop@far  <id-1>
                       retention-exceeded: no retention rule keeps it  bkp.yaml:17:5
                       only after create shop@near, copy shop@far, verify shop@far

      Plan: 1 create, 1 copy, 2 verify, 2 prune. Reads about <size>, writes about <size>."
    `);
    expect(screen(project, (await project.bkp('plan --format markdown')).stdout)).toMatchInlineSnapshot(`
      "<!-- bkp:plan policy=bkp.yaml name=shop -->
      ## bkp plan (shop): 1 create, 1 copy, 2 verify, 2 prune.

      > [!WARNING]
      > **2 destructive**: prune 1 x \`shop@near\`, prune 1 x \`shop@far\`.

      | | Action | Address | What | Why | Rule |
      |-|-|-|-|-|-|
      | \`+\` | create | \`shop@near\` | db, tree, about <size> | definition-changed: target tree changed | bkp.yaml:13 |
      | \`>\` | copy | \`shop@far\` | the new snapshot from near, about <size> | replica-missing: the new snapshot belongs into every repository of the backup | bkp.yaml:15 |
      | \`?\` | verify | \`shop@near\` | the new snapshot, about <size> | verify-due: stored by this plan, not hashed since | bkp.yaml:18 |
      | \`?\` | verify | \`shop@far\` | the new snapshot, about <size> | verify-due: stored by this plan, not hashed since | bkp.yaml:18 |
      | \`-\` | prune | \`shop@near\` | <id-1> | retention-exceeded: no retention rule keeps it | bkp.yaml:17 |
      | \`-\` | prune | \`shop@far\` | <id-1> | retention-exceeded: no retention rule keeps it | bkp.yaml:17 |

      Policy \`8927b37f15c3\`, planned <time>."
    `);
    expect(screen(project, (await project.bkp('plan --format github')).stdout)).toMatchInlineSnapshot(`
      "::warning file=bkp.yaml,line=17,col=5,title=prune shop@near::<id-1>: no retention rule keeps it
      ::warning file=bkp.yaml,line=17,col=5,title=prune shop@far::<id-1>: no retention rule keeps it
      ::notice title=bkp plan shop::1 create, 1 copy, 2 verify, 2 prune."
    `);
  });

  it('has the fixed field names in JSON', async () => {
    const project = await copyOf(base);
    await project.edit('keepLast: 2', 'keepLast: 1');
    const plan = jsonOf(await project.bkp('plan --at 2030-01-02T00:00:00Z --format json'));
    expect(Object.keys(plan)).toEqual([
      'formatVersion',
      'bkpVersion',
      'generatedAt',
      'at',
      'filters',
      'policy',
      'repositories',
      'steps',
      'keep',
      'withheld',
      'summary',
      'warnings',
      'errors',
    ]);
    expect(plan).toMatchObject({
      at: '2030-01-02T00:00:00.000Z',
      filters: {},
      policy: { name: 'shop', path: 'bkp.yaml', sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
      repositories: [
        { name: 'near', id: expect.any(String), readable: true, inventorySha256: expect.any(String) },
        { name: 'far', id: expect.any(String), readable: true, inventorySha256: expect.any(String) },
      ],
      summary: { create: 1, copy: 1, replace: 0, drill: 0, restore: 0, prune: 2, clean: 0, destructive: 2 },
      warnings: [],
      errors: [],
    });
    const [create, copy] = plan['steps'] as readonly Record<string, unknown>[];
    expect(Object.keys(create ?? {})).toEqual([
      'id',
      'action',
      'address',
      'backup',
      'kind',
      'targets',
      'repository',
      'from',
      'snapshot',
      'snapshotFrom',
      'artifacts',
      'destination',
      'mode',
      'hooks',
      'estimate',
      'reason',
      'source',
      'destructive',
      'dependsOn',
    ]);
    expect(create).toMatchObject({
      id: 's1',
      action: 'create',
      address: 'shop@near',
      targets: ['db', 'tree'],
      snapshot: null,
      reason: { code: 'schedule-due', message: expect.any(String), data: { lateSeconds: 86_400 } },
      source: { file: 'bkp.yaml', line: 16, column: 5 },
    });
    expect(copy).toMatchObject({
      action: 'copy',
      address: 'shop@far',
      from: 'near',
      snapshotFrom: 's1',
      dependsOn: ['s1'],
    });
    expect(plan['keep']).toEqual([]);
    const { keep } = jsonOf(await base.bkp('plan --format json'));
    expect(keep).toContainEqual({
      address: 'shop@near',
      snapshot: expect.any(String),
      reason: { code: 'retained', message: expect.any(String), data: { rules: ['keepLast'] } },
    });
  });

  it('says that it is filtered', async () => {
    const project = await copyOf(base);
    await project.edit('keepLast: 2', 'keepLast: 1');
    const { stdout } = await project.bkp('plan --at 2030-01-02 --only create,copy --no-prune --backup shop');
    expect(screen(project, stdout)).toMatchInlineSnapshot(`
      "bkp plan  shop  bkp.yaml (sha256 <digest>), <time>  as of <time>
      Filtered: backup shop; only create, copy; no prune; other differences are not shown.

      Actions:  + create  > copy  . withheld

        +  create  shop@near  db, tree, about <size>
                       schedule-due: tick <time> has no good snapshot, <duration> late; the last good one is from <time>  bkp.yaml:16:5
        >  copy  shop@far  the new snapshot from near, about <size>
                       replica-missing: the new snapshot belongs into every repository of the backup  bkp.yaml:15:5

        .  withheld shop@near  prune <id-1>
                       last-good: the newest verified snapshot in near  bkp.yaml:17:5
        .  withheld shop@far  prune <id-1>
                       last-good: the newest verified snapshot in far  bkp.yaml:17:5
        .  withheld shop@near  verify
                       filtered: left out by a filter: stored by this plan, not hashed since  bkp.yaml:18:5
        .  withheld shop@far  verify
                       filtered: left out by a filter: stored by this plan, not hashed since  bkp.yaml:18:5

      Plan: 1 create, 1 copy. 4 withheld. Reads about <size>, writes about <size>."
    `);
    const { filters } = jsonOf(
      await project.bkp('plan --only create --no-prune --max-prune 3 --backup shop --format json'),
    );
    expect(filters).toEqual({ backups: ['shop'], only: ['create'], prune: false, maxPrune: 3 });
  });

  it.each([
    ['--backup shap', 'cannot find backup shap: the policy has shop', 'did you mean shop?'],
    ['--only creat', 'cannot read --only creat: creat is no action', 'did you mean create?'],
    ['--max-prune many', 'cannot read --max-prune many: not a whole number', undefined],
    ['--at yesterday', 'cannot read --at yesterday: not a time', 'write it like 2026-11-19T02:00:00Z or 2026-11-19'],
  ])('refuses %s', async (flags, message, hint) => {
    const { stdout, stderr } = await base.bkp(`plan ${flags}`, 4);
    expect([stdout, stderr]).toEqual(['', `error: ${message}\n${hint === undefined ? '' : `hint: ${hint}\n`}`]);
  });

  it('saves a plan, and writes JSON and Markdown beside its output', async () => {
    const project = await copyOf(base);
    await project.edit('keepLast: 2', 'keepLast: 1');
    const { stdout, stderr } = await project.bkp(
      'plan --out plan.json --json-into deep.json --markdown-into comment.md --detailed-exitcode',
    );
    expect(stdout).toMatch(/^bkp plan {2}shop/);
    expect(stderr).toBe('saved plan.json; next: bkp apply plan.json\n');
    const saved = await readFile(project.path('plan.json'), 'utf8');
    expect(JSON.parse(saved)).toMatchObject({ formatVersion: 1, steps: [] });
    expect(await readFile(project.path('deep.json'), 'utf8')).toBe(saved);
    expect(await readFile(project.path('comment.md'), 'utf8')).toContain('## bkp plan (shop): no changes');
    const { stderr: failed } = await project.bkp('plan --out no/such/folder/plan.json', 4);
    expect(failed).toMatch(/^error: cannot write no\/such\/folder\/plan.json: /);
  });

  it('reads the policy from standard input and from elsewhere', async () => {
    const project = await copyOf(base);
    await rename(project.path('bkp.yaml'), project.path('other.yaml'));
    const piped = await project.run(['plan', '-f', '-'], { stdin: await readFile(project.path('other.yaml'), 'utf8') });
    expect(piped).toMatchObject({ exitCode: 0, stderr: '' });
    expect(screen(project, piped.stdout)).toMatch(/^bkp plan {2}shop {2}- \(sha256 <digest>\), <time>\n\nNo changes/);
    expect((await project.bkp('plan -f other.yaml')).stdout).toContain('No changes.');
    const elsewhere = await project.run(['plan', '-f', project.path('other.yaml')], { cwd: '/' });
    expect(elsewhere.stdout).toContain('No changes.');
  });

  it('says everything that is wrong with a policy, in text and in JSON', async () => {
    const project = await testProject(POLICY.replace('keepLast', 'kepLast').replace('[near, far]', '[near, fra]'));
    const { stdout, stderr } = await project.bkp('plan', 4);
    expect(stdout).toBe('');
    expect(stderr).toContain('did you mean "keepLast"?');
    expect(stderr).toContain('did you mean "far"?');
    const json = jsonOf(await project.bkp('plan --format json', 4));
    expect(json).toMatchObject({ type: 'error', exitCode: 4, valid: false, errorCount: 2, error: { code: 'policy' } });
  });

  it('says that there is no policy', async () => {
    const place = await makePlace();
    const { stdout, stderr } = await place.bkp('plan', 4);
    await place.remove();
    expect([stdout, stderr]).toEqual([
      '',
      'bkp.yaml:1:1 BKP1000 cannot read policy "bkp.yaml": no such file\nhelp: name another with -f, or write a first one with `bkp init`\n\n1 error\n',
    ]);
  });

  it('exits 7 when a repository cannot be read, and gives it no steps', async () => {
    const project = await copyOf(base);
    await rename(project.path('far', 'manifests'), project.path('far', 'elsewhere'));
    await writeFile(project.path('far', 'manifests'), 'a file where a folder was');
    const { stdout } = await project.bkp('plan', 7);
    expect(screen(project, stdout)).toMatchInlineSnapshot(`
      "bkp plan  shop  bkp.yaml (sha256 <digest>), <time>

      Error: cannot open "manifests" in <folder>/far: a part of its path is a file
            hint: move that file out of the repository

      Nothing could be planned. 1 snapshot kept."
    `);
    expect(jsonOf(await project.bkp('plan --format json', 7))).toMatchObject({
      repositories: [{ readable: true }, { name: 'far', readable: false, id: null }],
      errors: [{ code: 'repository-unavailable', address: 'far', message: expect.any(String) }],
    });
  });

  it("exits 6 where the folder of a backup is another policy's", async () => {
    const project = await copyOf(base);
    await project.edit('name: shop', 'name: other');
    const { stdout } = await project.bkp('plan', 6);
    expect(screen(project, stdout)).toMatchInlineSnapshot(`
      "bkp plan  other  bkp.yaml (sha256 <digest>), <time>

      Error: cannot use shop@near: its folder belongs to policy shop
            hint: rename the backup, or name the other policy under \`formerly\` if it is this one
      Error: cannot use shop@far: its folder belongs to policy shop
            hint: rename the backup, or name the other policy under \`formerly\` if it is this one

      Note: 1 snapshot of other policies in near (shop) left alone
      Note: 1 snapshot of other policies in far (shop) left alone

      Nothing could be planned. 0 snapshots kept."
    `);
  });
});
