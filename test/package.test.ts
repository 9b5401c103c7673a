import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';

const ROOT = new URL('..', import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), 'bkp-package-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (argv: readonly [string, ...string[]], cwd: string): string =>
  execFileSync(argv[0], argv.slice(1), {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      npm_config_cache: join(folder, 'cache'),
      AWS_ACCESS_KEY_ID: 'key',
      AWS_SECRET_ACCESS_KEY: 'secret',
    },
  });

it('packs into a tarball that plans, applies and types in an empty folder', { timeout: 180_000 }, () => {
  run(['npm', 'pack', '--pack-destination', folder], ROOT);
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'));
  expect(tarball).toMatch(/^bkp-\d+\.\d+\.\d+\.tgz$/);
  const project = join(folder, 'project');
  mkdirSync(join(project, 'data'), { recursive: true });
  writeFileSync(join(project, 'data/a.txt'), 'hello');
  writeFileSync(
    join(project, 'bkp.yaml'),
    'version: 1\nname: empty\nrepositories: { here: { type: directory, path: ./repository } }\ntargets: { data: { type: files, paths: [./data] } }\nbackups: { all: { targets: [data], repositories: [here], schedule: "@daily" } }\n',
  );
  expect(run(['npx', '--yes', `../${tarball}`, 'plan', '--init-repositories'], project)).toContain('create   all@here');
  run(['npm', 'install', '--no-save', '--no-audit', '--no-fund', `../${tarball}`], project);
  expect(run(['npx', '--no-install', 'bkp', 'apply', '--yes', '--init-repositories'], project)).toContain(
    'Applied: 1 done',
  );
  // What needs the libraries that lie beside the one file.
  expect(run(['npx', '--no-install', 'bkp', 'keygen', 'age', 'identity.txt'], project)).toMatch(/^age1[a-z0-9]+$/m);
  const store = 's3://bucket/prefix?endpoint=http://127.0.0.1:9';
  expect(() => run(['npx', '--no-install', 'bkp', 'list', '--repository', store], project)).toThrow(
    '127.0.0.1:9/bucket/prefix: nobody listens there',
  );
  writeFileSync(
    join(project, 'use.mjs'),
    "import { loadPolicy, plan } from 'bkp';\nconst { policy } = await loadPolicy('bkp.yaml');\nconst made = await plan(policy);\nconsole.log(made.steps.length, made.keep.length);\n",
  );
  expect(run(['node', 'use.mjs'], project).trim()).toBe('0 2');
  writeFileSync(
    join(project, 'use.mts'),
    "import { loadPolicy, plan, type Plan } from 'bkp';\nconst { policy } = await loadPolicy('bkp.yaml');\nconst made: Plan = await plan(policy);\nexport const count: number = made.steps.length;\n",
  );
  writeFileSync(
    join(project, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: {
        module: 'nodenext',
        target: 'es2024',
        strict: true,
        noEmit: true,
        skipLibCheck: true,
        types: [],
      },
      files: ['use.mts'],
    }),
  );
  run([join(ROOT, 'node_modules/.bin/tsc'), '-p', '.'], project);
});
