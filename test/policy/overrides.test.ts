import { describe, expect, it } from 'vitest';
import { BkpError } from '../../src/errors.ts';
import { applyInto, parseIntoFlags, parseRepositoryFlag, parseTargetFlag } from '../../src/policy/overrides.ts';

const TARGETS = { db: 'sqlite', conf: 'files' } as const;
const failure = (action: () => unknown): string => {
  try {
    action();
  } catch (error) {
    if (error instanceof BkpError && error.exitCode === 4) return error.message;
    throw error;
  }
  throw new Error('nothing was thrown');
};

describe('--into', () => {
  it.each([
    [['path=new.db'], { db: TARGETS.db }, { db: { path: '/work/new.db' } }],
    [['db.path=/x/new.db', 'conf.root=out'], TARGETS, { db: { path: '/x/new.db' }, conf: { root: '/work/out' } }],
    [['conf.paths=/a,/b', 'conf.paths=/c'], TARGETS, { conf: { paths: ['/a', '/b', '/c'] } }],
    [['oneFileSystem=true'], { conf: TARGETS.conf }, { conf: { oneFileSystem: true } }],
    [['path=a=b.db'], { db: TARGETS.db }, { db: { path: '/work/a=b.db' } }],
    [
      ['rename=from=kestra_*,to=look_*'],
      { search: 'elasticsearch' as const },
      { search: { rename: { from: 'kestra_*', to: 'look_*' } } },
    ],
    [[], TARGETS, {}],
  ])('reads %j', (flags, targets, into) => {
    expect(parseIntoFlags(flags, targets, '/work')).toEqual(into);
  });

  it.each([
    [['path'], { db: TARGETS.db }, 'cannot read --into path: it needs key=value'],
    [['=x'], { db: TARGETS.db }, 'cannot read --into =x: it needs key=value'],
    [['pth=x'], { db: TARGETS.db }, 'cannot read --into pth: unknown key; did you mean "path"?'],
    [['type=files'], { db: TARGETS.db }, 'cannot read --into type: unknown key'],
    [['path=a', 'path=b'], { db: TARGETS.db }, 'cannot read --into path: it is given twice'],
    [['path=a'], TARGETS, 'cannot read --into path: 2 targets are restored'],
    [['dbb.path=a'], TARGETS, 'cannot read --into dbb.path: no target "dbb" is restored; did you mean "db"?'],
    [['oneFileSystem=yes'], { conf: TARGETS.conf }, 'cannot read --into oneFileSystem: it must be true or false'],
  ])('refuses %j', (flags, targets, message) => {
    expect(failure(() => parseIntoFlags(flags, targets, '/work'))).toBe(message);
  });

  it('is laid over a target and checked with it', () => {
    expect(applyInto({ type: 'sqlite', path: '/a', busyTimeout: '5s' }, { path: '/b' })).toEqual({
      type: 'sqlite',
      path: '/b',
      busyTimeout: '5s',
    });
    expect(failure(() => applyInto({ type: 'sqlite', path: '/a' }, { root: '/b' }))).toBe(
      'cannot restore into "root": a sqlite target has no such key',
    );
    expect(failure(() => applyInto({ type: 'files', paths: ['/a'] }, { paths: [] }))).toMatch(
      /^cannot restore into paths: "paths" must NOT have fewer/,
    );
    expect(failure(() => applyInto({ type: 'sqlite', path: '/a' }, { path: 5 }))).toBe(
      'cannot restore into path: "path" must be string',
    );
  });
});

describe('--target and --repository', () => {
  it.each([
    ['type=sqlite,path=/var/app.db', { type: 'sqlite', path: '/var/app.db' }],
    ['path=a.db,type=sqlite', { type: 'sqlite', path: 'a.db' }],
    ['type=files,paths=/a,/b,oneFileSystem=true', { type: 'files', paths: ['/a', '/b'], oneFileSystem: true }],
    ['type=sqlite,path=a,compressionLevel=5', { type: 'sqlite', path: 'a', compressionLevel: 5 }],
  ])('reads %s', (flag, target) => {
    expect(parseTargetFlag(flag)).toEqual(target);
  });

  it.each([
    ['path=/a', 'cannot read --target: no type is given'],
    ['type=sqlit,path=/a', 'cannot read --target: unknown type "sqlit"; did you mean "sqlite"?'],
    ['type=sqlite', 'cannot use --target: path is missing'],
    ['type=sqlite,path=/a,compressionLevel=high', 'cannot read --target compressionLevel: it must be a number'],
    ['type=sqlite,path=/a,compressionLevel=50', 'cannot use --target: "compressionLevel" must be <= 19'],
    ['type=constructor,path=/a', 'cannot read --target: unknown type "constructor"'],
  ])('refuses %s', (flag, message) => {
    expect(failure(() => parseTargetFlag(flag))).toBe(message);
  });

  it('takes a plain path for a folder', () => {
    expect(parseRepositoryFlag('/var/backups')).toEqual({ type: 'directory', path: '/var/backups' });
    expect(parseRepositoryFlag('type=directory,path=x,singleWriter=true')).toEqual({
      type: 'directory',
      path: 'x',
      singleWriter: true,
    });
  });
});
