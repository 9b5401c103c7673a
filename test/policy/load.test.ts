import { describe, expect, it } from 'vitest';
import { PolicyError } from '../../src/errors.ts';
import { examinePolicy, loadPolicy } from '../../src/policy/load.ts';
import { examine, GOOD, memoryFiles, problemsOf, resolved } from './policy-text.ts';

const load = (path: string, files: Readonly<Record<string, string | Uint8Array>>): ReturnType<typeof loadPolicy> =>
  loadPolicy({ path, files: memoryFiles(files) });

describe('loading a policy', () => {
  it('fills defaults, links names and makes paths absolute', async () => {
    const policy = await resolved(GOOD);
    const [backup] = policy.backups;
    expect(backup).toMatchObject({
      name: 'app',
      enabled: true,
      repositories: ['nas'],
      schedule: { kind: 'cron', expression: '0 2 * * *' },
      timezone: 'UTC',
      retention: { keepLast: 2, daily: 7, weekly: null, withinMs: null },
      retryAfterMs: 3_600_000,
      idleTimeoutMs: 900_000,
      timeoutMs: null,
      safetyKeepMs: 604_800_000,
      keepOldMs: 86_400_000,
      parallelism: 2,
      maxPrune: null,
    });
    expect(backup?.targets.map((target) => target.config)).toEqual([
      { type: 'sqlite', path: '/work/data/app.db' },
      { type: 'files', paths: ['/work/conf', '/etc/app'] },
    ]);
    expect(backup?.targets[0]?.definition).toEqual({ type: 'sqlite', path: 'data/app.db' });
    expect(backup?.targets[0]?.compression).toEqual({ method: 'zstd', level: 3 });
    expect(backup?.source).toEqual({ file: 'bkp.yaml', line: 12, column: 3 });
    expect(backup?.sources).toMatchObject({
      retention: { line: 10, column: 3 },
      repositories: { line: 9, column: 3 },
      schedule: { line: 14, column: 5 },
    });
  });

  it('freezes everything', async () => {
    const policy = await resolved(GOOD);
    expect(Object.isFrozen(policy.backups[0]?.targets[0]?.config)).toBe(true);
    expect(Object.isFrozen(policy.targets)).toBe(true);
  });

  it('throws one error with all problems', async () => {
    const error = await load('bkp.yaml', {
      'bkp.yaml': GOOD.replace('daily', 'dayly').replace('0 2 *', '99 2 *'),
    }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(PolicyError);
    expect(error).toMatchObject({ code: 'policy', exitCode: 4 });
    expect((error as PolicyError).diagnostics.map(({ code }) => code)).toEqual(['BKP2043', 'BKP1002', 'BKP2002']);
    expect((error as PolicyError).message).toBe(
      'cannot use policy "bkp.yaml": unknown key "dayly" in retention; did you mean "daily"? at bkp.yaml:10:29 (and 1 more)',
    );
  });

  it.each([
    ['a missing file', {}, 'nowhere.yaml:1:1 BKP1000 cannot read policy "nowhere.yaml": no such file'],
    [
      'bytes that are not UTF-8',
      { 'nowhere.yaml': new Uint8Array([0xff, 0xfe, 0x41]) },
      'nowhere.yaml:1:1 BKP1000 cannot read policy "nowhere.yaml": it is not UTF-8 text',
    ],
  ])('reports %s', async (_name, files, problem) => {
    const { diagnostics } = await examinePolicy({ path: 'nowhere.yaml', files: memoryFiles(files) });
    const [only] = diagnostics;
    expect(`${only?.file}:${only?.range.start.line}:${only?.range.start.column} ${only?.code} ${only?.message}`).toBe(
      problem,
    );
  });

  it('reads standard input, with paths from the working directory', async () => {
    const { policy } = await load('-', { '-': GOOD });
    expect(policy.path).toBe('-');
    expect(Object.keys(policy.files)).toEqual(['-']);
    expect(policy.targets['app-db']).toMatchObject({
      config: { path: '/work/data/app.db' },
      source: { file: '<stdin>' },
    });
  });

  it('changes its digest with every byte of every file, and not with the way it is named', async () => {
    const files = { 'etc/bkp.yaml': `include: [more.yaml]\n${GOOD}`, 'etc/more.yaml': 'x-note: 1\n' };
    const plain = (await load('etc/bkp.yaml', files)).policy;
    expect((await load('/work/etc/bkp.yaml', files)).policy.sha256).toBe(plain.sha256);
    expect((await load('etc/bkp.yaml', { ...files, 'etc/more.yaml': 'x-note: 2\n' })).policy.sha256).not.toBe(
      plain.sha256,
    );
    expect(Object.keys(plain.files)).toEqual(['bkp.yaml', 'more.yaml']);
  });
});

describe('include', () => {
  const main = `version: 1
name: acme
include: [teams/*.yaml]
repositories:
  nas: { type: directory, path: store }
`;
  const shop = `defaults: { repositories: [nas], timezone: Europe/Berlin }
targets: { shop-db: { type: sqlite, path: shop.db } }
backups: { shop: { targets: [shop-db] } }
`;

  it('joins files; defaults and paths belong to the file they stand in', async () => {
    const wiki =
      'targets: { wiki-db: { type: sqlite, path: wiki.db } }\nbackups: { wiki: { targets: [wiki-db], repositories: [nas] } }\n';
    const policy = await resolved({ 'bkp.yaml': main, 'teams/shop.yaml': shop, 'teams/wiki.yaml': wiki });
    expect(policy.backups.map(({ name, timezone }) => [name, timezone])).toEqual([
      ['shop', 'Europe/Berlin'],
      ['wiki', 'UTC'],
    ]);
    expect(policy.targets['shop-db']).toMatchObject({
      config: { path: '/work/teams/shop.db' },
      source: { file: 'teams/shop.yaml', line: 2 },
    });
    expect(policy.repositories[0]?.config).toEqual({ type: 'directory', path: '/work/store' });
  });

  it('refuses a name that two files use, with both positions', async () => {
    const problems = await problemsOf({ 'bkp.yaml': main, 'teams/a.yaml': shop, 'teams/b.yaml': shop });
    expect(problems).toContain('teams/b.yaml:2:12 BKP2011 target "shop-db" stands already at teams/a.yaml:2:12');
    expect(problems).toContain('teams/b.yaml:3:12 BKP2011 backup "shop" stands already at teams/a.yaml:3:12');
  });

  it.each(['version: 1', 'name: other', 'formerly: [old]', 'include: [x.yaml]'])(
    'refuses %s in an included file',
    async (line) => {
      const problems = await problemsOf({ 'bkp.yaml': main, 'teams/a.yaml': `${shop}${line}\n` });
      expect(problems).toContain(`teams/a.yaml:4:1 BKP1011 "${line.split(':')[0]}" belongs in the main file only`);
    },
  );

  it('refuses an include that matches nothing', async () => {
    expect(await problemsOf(main)).toContain('bkp.yaml:3:11 BKP2014 include "teams/*.yaml" matches no file');
  });

  it('does not include itself and reads a file once', async () => {
    const text = main.replace('[teams/*.yaml]', '["*.yaml", "./o*.yaml"]');
    const { policy } = await examine({ 'bkp.yaml': text, 'other.yaml': shop });
    expect(policy?.backups.map(({ name }) => name)).toEqual(['shop']);
  });

  it('reports problems of every file at once', async () => {
    const problems = await problemsOf({
      'bkp.yaml': main.replace('path:', 'pth:'),
      'teams/a.yaml': shop.replace('type: sqlite', 'type: sqlit'),
      'teams/b.yaml': ': [',
    });
    const starts = problems.map((problem) => problem.split(' ').slice(0, 2).join(' '));
    expect(starts).toEqual([
      'bkp.yaml:5:3 BKP1003',
      'bkp.yaml:5:27 BKP1002',
      'teams/a.yaml:2:29 BKP1005',
      'teams/b.yaml:1:4 BKP1001',
    ]);
  });
});
