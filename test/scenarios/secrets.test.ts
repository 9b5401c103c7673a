import { chmod, cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { makeProject } from '../cli/project.ts';
import { outcomeOf, type Run } from '../cli/run-bkp.ts';
import { watchProcesses } from './processes.ts';

/*
 * The rule: what stands in the environment of a hook is secret, however it got there (a variable, a file, a literal, the
 * default of a reference). Only that hook sees it. It is masked in what programs say, in code frames and in the policy text
 * that snapshots keep, and stands nowhere else.
 * A path that came from a reference is a place: messages name it, so that the person at the keyboard knows where to look.
 * What others read (saved plans, manifests, marks, records) has the reference or nothing; this machine's cache remembers it.
 */

const CANARIES = {
  env: 'canary-env-6f1c93aa',
  file: 'canary-file-0b7d52e1',
  literal: 'canary-literal-c4e88f02',
  named: 'canary-token-91aa3d7b',
  fallback: 'canary-default-7e20c9d4',
  mixed: 'canary-mixed-5d11f8ab',
  escaped: 'canary-"quoted"\\and%20more-2ab9',
  firstLine: 'canary-line-one-83b1',
  lastLine: 'canary-line-two-4f60',
  place: 'canary-place-d2c7',
  otherPlace: 'canary-elsewhere-19be',
} as const;
const { place, otherPlace, ...SECRETS } = CANARIES;

const POLICY = `version: 1
name: shop
repositories:
  near: { type: directory, path: "\${env:PLACE}" }
  far: { type: directory, path: "\${file:place.txt}", singleWriter: "\${env:SINGLE:-false}" }
targets:
  db: { type: sqlite, path: app.db }
  tree: { type: files, paths: [tree] }
x-shared: &shared
  MERGED: ${CANARIES.literal}
backups:
  shop:
    targets: [db, tree]
    repositories: [near, far]
    schedule: "0 0 1 1 *"
    retention: { keepLast: 2 }
    hooks:
      before:
        - run: [./hook, before]
          env:
            <<: *shared
            FROM_ENV: \${env:CANARY_ENV}
            FROM_FILE: "\${file:secret.txt}"
            LITERAL: ${CANARIES.literal}
            API_TOKEN: ${CANARIES.named}
            FALLBACK: \${env:UNSET:-${CANARIES.fallback}}
            MIXED: Bearer \${env:CANARY_MIXED}
            ESCAPED: \${env:CANARY_ESCAPED}
            LINES: \${env:CANARY_LINES}
      after:
        - { run: [./hook, bare], always: true }
        - { run: [./hook, after], always: true, env: { FROM_FILE: "\${file:secret.txt}", LINES: "\${env:CANARY_LINES}" } }
`;

/** Says all it knows on both streams, notes what it was given and what lies in the temporary folders. */
const HOOK = `#!/bin/sh
tr '\\0' '\\n' </proc/$$/environ >"seen/$1.$$"
cp -r "$TMPDIR" "temporary/$1.$$"
env; env >&2
echo "INSERT INTO t VALUES ('$FROM_FILE')" >&2
printf 'last words: %s %s %s %s %s\\n%s\\n' "$FROM_ENV" "$FROM_FILE" "$LITERAL" "$MIXED" "$ESCAPED" "$LINES" >&2
[ ! -e "fail-$1" ]
`;

const project = await makeProject(POLICY);
afterAll(() => project.remove());
const environment = {
  PLACE: project.path(place),
  CANARY_ENV: CANARIES.env,
  CANARY_MIXED: CANARIES.mixed,
  CANARY_ESCAPED: CANARIES.escaped,
  CANARY_LINES: `${CANARIES.firstLine}\n${CANARIES.lastLine}`,
};
const tools = await wrapTools();
await writeFile(project.path('hook'), HOOK);
await chmod(project.path('hook'), 0o700);
await mkdir(project.path('seen'));
await mkdir(project.path('temporary'));
await writeFile(project.path('secret.txt'), `${CANARIES.file}\n`);
await writeFile(project.path('place.txt'), `${project.path(otherPlace)}\n`);

/** Programs of the same names that note how they were started, then are the real ones. */
async function wrapTools(): Promise<string> {
  const folder = project.path('bin');
  await mkdir(folder);
  for (const name of ['tar', 'zstd']) {
    const script = `#!/bin/sh\ncat /proc/$$/cmdline /proc/$$/environ >"${project.folder}/seen/${name}.$$"\nPATH=${project.env['PATH'] ?? ''} exec ${name} "$@"\n`;
    await writeFile(join(folder, name), script);
    await chmod(join(folder, name), 0o700);
  }
  return folder;
}

const holding = (text: string, secrets: object): readonly string[] =>
  Object.entries(secrets).flatMap(([name, value]) =>
    [value, encodeURIComponent(value), JSON.stringify(value).slice(1, -1)].some((form) => text.includes(form))
      ? [name]
      : [],
  );

/** Runs the program and holds what it says against the secrets. */
async function run(args: string, exitCode: number, env: Record<string, string> = {}): Promise<Run> {
  const PATH = `${tools}:${project.env['PATH'] ?? ''}`;
  const result = await outcomeOf(project.start(args.split(' '), { env: { ...environment, PATH, ...env } }));
  const all = `${result.stdout}\n${result.stderr}`;
  expect(result.exitCode, `bkp ${args}\n${all}`).toBe(exitCode);
  expect(holding(all, SECRETS), `bkp ${args}\n${all}`).toEqual([]);
  return result;
}

/** What is written anywhere but in the policy, the secret's own file and the notes of the hooks. */
async function findInFiles(secrets: object): Promise<readonly string[]> {
  const own = ['bkp.yaml', 'secret.txt', 'place.txt', 'seen', 'bin'];
  const entries = await readdir(project.folder, { recursive: true, withFileTypes: true });
  const found: string[] = [];
  for (const entry of entries) {
    const path = relative(project.folder, join(entry.parentPath, entry.name));
    if (own.includes(path.split('/')[0] ?? '') || !entry.isFile()) continue;
    const text = await readFile(project.path(path), 'latin1');
    found.push(...holding(text, secrets).map((name) => `${path}: ${name}`));
  }
  return found;
}

const notesOf = async (prefix: string): Promise<readonly string[]> => {
  const names = (await readdir(project.path('seen'))).filter((name) => name.startsWith(prefix));
  return Promise.all(names.map((name) => readFile(project.path('seen', name), 'utf8')));
};

describe('secrets', () => {
  it('are seen by the hook that needs them and by no other program', async () => {
    const watch = watchProcesses(project.env['HOME'] ?? '');
    await run('apply --yes --init-repositories --json-into first.json --markdown-into first.md', 0);
    await run('verify --deep', 0);
    const processes = (await watch.stop()).filter(({ argv }) => !argv.includes('bkp.cjs'));
    const [before = ''] = await notesOf('before');
    expect(holding(before, SECRETS)).toEqual(Object.keys(SECRETS));
    expect((await notesOf('bare')).flatMap((note) => holding(note, SECRETS))).toEqual([]);
    expect((await notesOf('after')).flatMap((note) => holding(note, SECRETS))).toEqual([
      'file',
      'firstLine',
      'lastLine',
    ]);
    for (const tool of ['tar', 'zstd']) {
      const notes = await notesOf(tool);
      expect(notes.length).toBeGreaterThan(0);
      expect(notes.flatMap((note) => holding(note, SECRETS))).toEqual([]);
    }
    const jobs = processes.filter(({ argv }) => argv.includes('job-main'));
    expect(jobs.length).toBeGreaterThan(0);
    expect(jobs.flatMap((job) => holding(job.environment, CANARIES))).toEqual([]);
    expect(processes.flatMap(({ argv }) => holding(argv, CANARIES))).toEqual([]);
  });

  it('stand in no output of commands that go well', async () => {
    await run('plan --out saved.json', 0);
    for (const format of ['text', 'json', 'markdown', 'github']) await run(`plan --format ${format}`, 0);
    for (const format of ['text', 'json', 'github']) await run(`validate --format ${format}`, 0);
    for (const format of ['text', 'json', 'plain']) await run(`list --format ${format}`, 0);
    for (const args of [
      'validate --online',
      'validate --online --format json',
      'show shop@latest',
      'show shop@latest --format json',
      'show saved.json --format json',
      'status',
      'status --format json',
      'verify --format json',
      'backup shop --format json',
      'restore shop@latest --mode replace --yes',
      'restore shop@latest --mode replace --yes --format json',
      'restore shop@latest --mode replace --plan --format json',
    ])
      await run(args, 0, { BKP_DEBUG: '1' });
  });

  it('leave a policy that can be read in every snapshot', async () => {
    const { stdout } = await run('show shop@latest --policy', 0);
    expect(stdout).toContain('FROM_ENV: ${env:CANARY_ENV}\n');
    expect(stdout).toContain('LITERAL: "***"\n');
    expect(stdout).toContain('FALLBACK: "${env:UNSET:-***}"\n');
    await cp(project.path('bkp.yaml'), project.path('seen', 'policy'));
    await project.policy(stdout);
    await run('validate', 0);
    await cp(project.path('seen', 'policy'), project.path('bkp.yaml'));
  });

  it('stand in no output of commands that fail', async () => {
    await writeFile(project.path('fail-after'), '');
    const flawed = await run('backup shop', 7, { BKP_DEBUG: '1' });
    expect(flawed.stderr).toContain('after: ./hook after exited 1: ***');
    await run('backup shop --format json', 7);
    await writeFile(project.path('fail-before'), '');
    const failed = await run('backup shop', 1, { BKP_DEBUG: '1' });
    expect(failed.stderr).toContain('the before hook ./hook before exited 1: ***');
    await run('backup shop --format json', 1);
    await run('plan --format json', 0);
    await run('status --format json', 0);
    await rm(project.path('fail-after'));
    await rm(project.path('fail-before'));
    await project.edit('${env:CANARY_ENV}', '${env:CANARY_GONE}');
    const unset = await run('backup shop', 1, { BKP_DEBUG: '1' });
    expect(unset.stderr).toContain('CANARY_GONE');
    await project.edit('${env:CANARY_GONE}', '${env:CANARY_ENV}');
  });

  it('stand in no complaint about a policy that holds them', async () => {
    const good = await readFile(project.path('bkp.yaml'), 'utf8');
    onTestFinished(() => project.policy(good));
    for (const [before, after] of [
      ['API_TOKEN: ', 'API_TOKEN: ['],
      [`LITERAL: ${CANARIES.literal}`, `LITERAL: [${CANARIES.literal}]`],
      ['LITERAL: ', 'LITERAL: !odd '],
      ['FROM_ENV: ', 'FROM_ENV: ${oops}'],
      ['    hooks:', '    hoks:'],
    ] as const) {
      await project.policy(good.replace(before, after));
      for (const format of ['text', 'json', 'github']) await run(`validate --format ${format}`, 4, { BKP_DEBUG: '1' });
      await run('plan --format json', 4);
    }
    await project.policy(good);
    const { stderr, stdout } = await run('validate --strict', 4);
    expect(`${stdout}${stderr}`).toContain('"API_TOKEN" is a literal where a secret belongs');
  });

  it('were written nowhere', async () => {
    expect(await readdir(project.path('temporary'))).not.toEqual([]);
    expect(await findInFiles(SECRETS)).toEqual([]);
  });
});

describe('places that came from references', () => {
  it('stand in messages, not in what is kept for others', async () => {
    const found = await findInFiles({ place, otherPlace });
    expect(found.filter((where) => !where.startsWith('.cache/bkp/locations'))).toEqual([]);
    const { stdout } = await run('plan', 0, { PLACE: project.path(`${place}-gone`) });
    expect(stdout).toContain(`${place}-gone`);
  });

  it('are named by programs too', async () => {
    await writeFile(project.path('hook'), '#!/bin/sh\necho "no room in $PWD/tree" >&2; exit 1\n');
    const { stderr } = await run('backup shop', 1, { PLACE: project.folder });
    expect(stderr).toContain(project.folder);
  });
});
