import { describe, expect, it } from 'vitest';
import { PolicyError } from '../../src/errors.ts';
import { splitReferences } from '../../src/policy/reference-syntax.ts';
import {
  resolveHookEnv,
  resolveReferences,
  resolveRepository,
  resolveTarget,
  type Lookups,
} from '../../src/policy/references.ts';
import type { ResolvedPolicy } from '../../src/policy/resolved-policy.ts';
import { GOOD, resolved } from './policy-text.ts';

const lookups = (env: Readonly<Record<string, string>>, files: Readonly<Record<string, string>> = {}): Lookups => ({
  env,
  readFile: (path) => {
    const text = files[path];
    if (text === undefined) throw new Error('ENOENT: no such file');
    return text;
  },
  onSecrets: () => undefined,
});
const owner = { name: 'target "x"', directory: '/work', source: { file: 'bkp.yaml', line: 3, column: 5 } };

const failure = (action: () => unknown): PolicyError => {
  try {
    action();
  } catch (error) {
    if (error instanceof PolicyError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
};

describe('reading references', () => {
  it('splits text at them', () => {
    expect(splitReferences('a${env:X}b${file:/p/q}$${c}')).toEqual([
      { kind: 'text', text: 'a' },
      { kind: 'env', name: 'X', fallback: undefined, written: '${env:X}' },
      { kind: 'text', text: 'b' },
      { kind: 'file', path: '/p/q', written: '${file:/p/q}' },
      { kind: 'text', text: '${' },
      { kind: 'text', text: 'c}' },
    ]);
  });

  it.each([
    ['${env:A}', 'one'],
    ['x${env:A}${env:B}y', 'xonetwoy'],
    ['${env:NONE:-three}', 'three'],
    ['${env:EMPTY:-three}', 'three'],
    ['${env:NONE:-}', ''],
    ['${env:EMPTY}', ''],
    ['${file:secret}', 'from file'],
    ['$${env:A}', '${env:A}'],
    ['$HOME $', '$HOME $'],
    ['${env:TRICK}', '${env:A}'],
  ])('resolves %s', (text, value) => {
    const env = { A: 'one', B: 'two', EMPTY: '', TRICK: '${env:A}' };
    expect(resolveReferences(text, lookups(env, { '/work/secret': 'from file\n' }), owner).value).toBe(value);
  });

  it('collects what came from outside, and nothing else', () => {
    const found = resolveReferences(
      { a: 'plain', b: ['${env:A}', 'x${file:/s}'] },
      lookups({ A: 'one' }, { '/s': 'two' }),
      owner,
    );
    expect(found).toEqual({ value: { a: 'plain', b: ['one', 'xtwo'] }, secrets: ['one', 'two'] });
  });

  it.each([
    ['${env:NONE}', 'cannot resolve ${env:NONE} in target "x": the variable is not set'],
    ['${file:none}', 'cannot resolve ${file:none} in target "x": ENOENT: no such file'],
    ['${wrong}', 'cannot resolve ${wrong} in target "x": it is not a reference'],
  ])('fails for %s and names the line', (text, message) => {
    const error = failure(() => resolveReferences(text, lookups({}), owner, 'path'));
    expect(error.diagnostics).toMatchObject([
      { code: 'BKP2032', message, file: 'bkp.yaml', range: { start: { line: 3, column: 5 } } },
    ]);
    expect(error.message).toContain('bkp.yaml:3:5');
    expect(error.exitCode).toBe(4);
  });
});

describe('resolving parts of a policy', () => {
  const load = (): Promise<ResolvedPolicy> =>
    resolved(
      GOOD.replace('path: /var/backups }', 'path: "${env:DIR}/bkp",\n    singleWriter: "${env:SINGLE}" }').replace(
        'path: data/app.db',
        'path: data/app.db, busyTimeout: "${env:BUSY:-30s}"',
      ) +
        '    hooks:\n      before:\n        - run: [a]\n          env:\n            TOKEN: "${env:TOKEN}"\n            LEVEL: plain\n',
    );

  it('makes truth values of text, and paths absolute from the file', async () => {
    const { repositories } = await load();
    const [nas] = repositories;
    if (nas === undefined) throw new Error('no repository');
    expect(nas.config).toMatchObject({ path: '${env:DIR}/bkp' });
    const { config, secrets } = resolveRepository(nas, lookups({ DIR: 'mnt', SINGLE: 'true' }));
    expect(config).toEqual({ type: 'directory', path: '/work/mnt/bkp', singleWriter: true });
    // Where a repository is stands in messages.
    expect(secrets).toEqual(['true']);
  });

  it('checks values once they are known, without showing them', async () => {
    const [nas] = (await load()).repositories;
    if (nas === undefined) throw new Error('no repository');
    const error = failure(() => resolveRepository(nas, lookups({ DIR: '/x', SINGLE: 'hunter2' })));
    expect(error.diagnostics).toMatchObject([
      {
        code: 'BKP2033',
        message: '"singleWriter" in repository "nas" is wrong once its references are resolved: it must be boolean',
        range: { start: { line: 5, column: 19 } },
      },
    ]);
    expect(JSON.stringify(error.diagnostics)).not.toContain('hunter2');
  });

  it('checks durations once they are known', async () => {
    const target = (await load()).targets['app-db'];
    if (target === undefined) throw new Error('no target');
    expect(resolveTarget(target, lookups({})).config).toEqual({
      type: 'sqlite',
      path: '/work/data/app.db',
      busyTimeout: '30s',
    });
    const error = failure(() => resolveTarget(target, lookups({ BUSY: 'hunter2' })));
    expect(error.message).toMatch(
      /"busyTimeout" in target "app-db" is wrong once .* it is not a duration at bkp\.yaml:7:\d+/,
    );
    expect(error.message).not.toContain('hunter2');
  });

  it('gives hooks their environment, all of it secret', async () => {
    const hook = (await load()).backups[0]?.hooks.before[0];
    if (hook === undefined) throw new Error('no hook');
    expect(resolveHookEnv(hook, lookups({ TOKEN: 'abc' }))).toEqual({
      env: { TOKEN: 'abc', LEVEL: 'plain' },
      secrets: ['abc', 'plain'],
    });
    const error = failure(() => resolveHookEnv(hook, lookups({})));
    expect(error.diagnostics[0]).toMatchObject({ code: 'BKP2032', range: { start: { line: 20, column: 20 } } });
  });
});
