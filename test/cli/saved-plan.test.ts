import { readFile, rm, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { appliedProject, copyOf, testProject, type Project } from './project.ts';
import { linesOf, jsonOf } from './run-bkp.ts';
import { screen } from './screen.ts';

const base = await appliedProject();

await base.bkp('backup shop');
await base.edit('keepLast: 2', 'keepLast: 1');
await base.bkp('plan --out plan.json');

async function change(project: Project, edit: (plan: Record<string, unknown>) => void): Promise<void> {
  const plan = JSON.parse(await readFile(project.path('plan.json'), 'utf8')) as Record<string, unknown>;
  edit(plan);
  await writeFile(project.path('plan.json'), JSON.stringify(plan));
}

describe('bkp apply PLAN', () => {
  it('carries out exactly the saved plan without asking', async () => {
    const project = await copyOf(base);
    const shown = await project.bkp('show plan.json');
    expect(shown.stdout).toContain('WARNING, destructive: 2 snapshots will be pruned');
    expect((await project.bkp('show plan.json --detailed-exitcode', 2)).stdout).toBe(shown.stdout);
    expect((await project.bkp('show plan.json --format markdown')).stdout).toContain('## bkp plan (shop): 2 prune.');
    expect((await project.bkp('show plan.json --format json')).stdout).toBe(
      await readFile(project.path('plan.json'), 'utf8'),
    );
    const { stdout } = await project.bkp('apply plan.json');
    expect(stdout).toBe(`${shown.stdout}Applied: 2 done of 2 steps.\n`);
    expect(await project.ids()).toHaveLength(1);
    // What it was planned for is gone now.
    const { stderr } = await project.bkp('apply plan.json', 5);
    expect(stderr).toMatchInlineSnapshot(`
      "error: cannot apply plan.json: the snapshots in near changed since it was made
      hint: run \`bkp plan --out\` again and apply the new plan
      "
    `);
  });

  it('makes the repositories that the plan was made with', async () => {
    const project = await testProject();
    await project.bkp('plan --init-repositories --out plan.json');
    const lines = linesOf(await project.bkp('apply plan.json --format json'));
    expect(lines.at(-1)).toMatchObject({ type: 'result', exitCode: 0 });
    await project.bkp('apply plan.json', 5);
  });

  it('is stale when the policy changed, with JSON or without', async () => {
    const project = await copyOf(base);
    await project.edit('keepLast: 1', 'keepLast: 3');
    const { stdout, stderr } = await project.bkp('apply plan.json', 5);
    expect([stdout, stderr]).toEqual([
      '',
      'error: cannot apply plan.json: the policy changed since it was made\nhint: run `bkp plan --out` again and apply the new plan\n',
    ]);
    const lines = linesOf(await project.bkp('apply plan.json --format json', 5));
    expect(lines.at(-1)).toMatchObject({ type: 'error', exitCode: 5, error: { code: 'stale' } });
  });

  it('is stale when snapshots changed, but not when a run only looked', async () => {
    const project = await copyOf(base);
    await project.bkp('verify --backup shop');
    const { stderr } = await project.bkp('apply plan.json', 5);
    expect(stderr).toContain('error: cannot apply plan.json: the snapshots in near changed since it was made');
    await project.bkp('plan --out plan.json');
    for (const command of ['list', 'status', 'show shop@latest', 'plan', 'ping']) await project.bkp(command);
    await project.bkp('apply plan.json');
  });

  it('is refused when it destroys and is too old, however often it is asked', async () => {
    const project = await copyOf(base);
    await change(project, (plan) => (plan['generatedAt'] = '2020-01-01T00:00:00.000Z'));
    const { stderr } = await project.bkp('apply plan.json', 5);
    expect(screen(project, stderr)).toMatchInlineSnapshot(`
      "error: cannot apply plan.json: it holds destructive steps and was made <time>
      hint: plan again; --max-age allows older plans"
    `);
    await project.bkp('apply plan.json --max-age 9d', 5);
    expect((await project.bkp('apply plan.json --max-age 5000d')).stdout).toContain('Applied');
  });

  it('is refused when it was made for another moment', async () => {
    const project = await copyOf(base);
    await project.bkp('plan --at 2030-01-01 --out plan.json');
    const { stderr } = await project.bkp('apply plan.json', 4);
    expect(stderr).toBe(
      'error: cannot apply plan.json: it was planned for another moment (--at)\nhint: plan for now: `bkp plan --out`\n',
    );
  });

  it('takes no flags of planning', async () => {
    const project = await copyOf(base);
    for (const flags of ['--no-prune', '--only create', '--backup shop', '--max-prune 1', '--init-repositories']) {
      const { stderr } = await project.bkp(`apply plan.json ${flags}`, 4);
      expect(stderr).toContain('cannot apply plan.json with planning flags: a saved plan is carried out as it is');
    }
    expect(await project.ids()).toHaveLength(2);
  });

  it.each([
    ['that is not there', null, /^error: cannot read plan.json: /],
    ['that is no JSON', 'hello', /^error: cannot read plan plan.json: it is not JSON\n/],
    ['that is no plan', '[1]', /^error: cannot read plan plan.json: it is not a plan\n/],
    ['that is not whole', '{"formatVersion":1,"steps":[]}', /^error: cannot read plan plan.json: it is not whole\n/],
    [
      'of a newer format',
      '{"formatVersion":99,"steps":[]}',
      /^error: cannot read plan plan.json: format 99 is newer than 1\nhint: upgrade bkp on this machine\n$/,
    ],
  ])('refuses a file %s', async (_what, text, message) => {
    const project = await copyOf(base);
    if (text === null) await rm(project.path('plan.json'));
    else await writeFile(project.path('plan.json'), text);
    expect((await project.bkp('apply plan.json', 4)).stderr).toMatch(message);
    const json = linesOf(await project.bkp('apply plan.json --format json', 4));
    expect(json.at(-1)).toMatchObject({ type: 'error', exitCode: 4, error: { code: 'usage' } });
    expect(jsonOf(await project.bkp('show ./plan.json --format json', 4))).toMatchObject({
      type: 'error',
      exitCode: 4,
    });
  });
});
