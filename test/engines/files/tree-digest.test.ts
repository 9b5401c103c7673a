import { describe, expect, test } from 'vitest';
import type { TarEntry } from '../../../src/engines/files/tar-entry.ts';
import { DIGEST_PARTS } from '../../../src/engines/files/tree-digest.ts';
import { compareTrees } from '../../../src/engines/files/compare-trees.ts';
import { countEntries } from './archives.ts';

const entry: TarEntry = {
  type: 'file',
  name: 'f',
  target: '',
  mode: 0o644,
  uid: 1,
  gid: 2,
  size: 3,
  mtime: '1.5',
  deviceMajor: 0,
  deviceMinor: 0,
  attributes: [
    ['SCHILY.xattr.user.a', 'x'],
    ['SCHILY.xattr.security.capability', 'y'],
    ['SCHILY.xattr.system.posix_acl_access', 'acl'],
    ['SCHILY.acl.access', 'user:name:r--'],
  ],
};
const other: TarEntry = { ...entry, name: 'z', type: 'folder', size: 0, attributes: [] };
const count = (changed: Partial<TarEntry>, bytes = 'abc'): ReturnType<typeof countEntries> =>
  countEntries([{ entry: { ...entry, ...changed }, chunks: [[Buffer.from(bytes), 0]] }, { entry: other }]);

const attribute = (key: string, value: string): readonly (readonly [string, string])[] =>
  entry.attributes.map(([own, old]) => [own, own === key ? value : old]);

describe('the digest of a tree', () => {
  test.each<[string, Partial<TarEntry>, string[]]>([
    ['a name', { name: 'g' }, ['content', 'owners', 'times', 'attributes', 'privileged']],
    ['permissions', { mode: 0o640 }, ['content']],
    ['a set-id bit', { mode: 0o4644 }, ['owners']],
    ['a sticky bit', { mode: 0o1644 }, ['content']],
    ['a user', { uid: 7 }, ['owners']],
    ['a group', { gid: 7 }, ['owners']],
    ['a nanosecond', { mtime: '1.500000001' }, ['times']],
    ['an attribute', { attributes: attribute('SCHILY.xattr.user.a', 'z') }, ['attributes']],
    ['a numeric ACL', { attributes: attribute('SCHILY.xattr.system.posix_acl_access', 'z') }, ['attributes']],
    ['a capability', { attributes: attribute('SCHILY.xattr.security.capability', 'z') }, ['privileged']],
    ['what users an ACL names, where numbers stand beside it', { attributes: attribute('SCHILY.acl.access', 'z') }, []],
    ['the order of attributes', { attributes: entry.attributes.toReversed() }, []],
  ])('changes with %s', (_, changed, parts) => {
    const before = count({});
    const after = count(changed);
    expect(DIGEST_PARTS.filter((part) => before.parts[part] !== after.parts[part])).toEqual(parts);
    expect(after.facts.digest === before.facts.digest).toBe(parts.length === 0);
  });

  test('changes with every byte, and not with where a file is cut', () => {
    expect(count({}, 'abd').parts.content).not.toBe(count({}).parts.content);
    const whole = Buffer.alloc(10_000, 'bytes');
    const inPieces = (...cuts: readonly number[]): string => {
      const edges = [0, ...cuts, whole.length];
      const chunks = cuts
        .concat(0)
        .map((_, index) => [whole.subarray(edges[index], edges[index + 1]), edges[index] as number] as const);
      return countEntries([{ entry: { ...entry, size: whole.length }, chunks }]).facts.digest;
    };
    expect(inPieces(1, 4095, 4097, 9000)).toBe(inPieces());
  });

  test('keeps apart what only looks the same when joined', () => {
    const tree = (...names: readonly string[]): string =>
      countEntries(names.map((name) => ({ entry: { ...entry, name, size: 0, attributes: [] } }))).facts.digest;
    expect(tree('a\nb')).not.toBe(tree('a', 'b'));
    expect(tree('a', 'b')).not.toBe(tree('b', 'a'));
    const gap = countEntries([{ entry: { ...entry, name: '0 1', size: 4096 } }]);
    const twoFiles = countEntries([
      { entry: { ...entry, name: '0', size: 4096 } },
      { entry: { ...entry, name: '1', size: 4096 } },
    ]);
    expect(gap.parts.content).not.toBe(twoFiles.parts.content);
  });

  test('of a hard link does not depend on metadata that it has none of its own', () => {
    const link = (changed: Partial<TarEntry>): string =>
      countEntries([{ entry: { ...entry, type: 'link', target: 'f', size: 0, ...changed } }]).facts.digest;
    expect(link({ mode: 0, uid: 9, mtime: '7' })).toBe(link({}));
    expect(link({ target: 'g' })).not.toBe(link({}));
  });
});

describe('a comparison', () => {
  const limits = {
    asRoot: true,
    tar: { flavour: 'gnu', version: '' },
    traits: { textAcls: false, unreadable: 0 },
  } as const;

  test('of equal trees is exact', () => {
    expect(compareTrees(count({}), count({}), limits)).toEqual({ isExact: true, warnings: [] });
  });

  test.each<[string, Partial<TarEntry>, string]>([
    ['contents', { size: 4 }, 'names, permissions or contents'],
    ['owners', { uid: 5 }, 'owners'],
    ['attributes', { attributes: [] }, 'extended attributes or ACLs'],
  ])('fails for root when %s differ', (_, changed, what) => {
    expect(() => compareTrees(count({}), count(changed), limits)).toThrow(what);
  });

  test('forgives what somebody who is not root cannot keep, and says so', () => {
    const somebody = { ...limits, asRoot: false };
    const lost = { uid: 5, mode: 0o644, attributes: entry.attributes.filter(([key]) => !key.includes('capability')) };
    expect(compareTrees(count({ mode: 0o4644 }), count(lost), somebody)).toEqual({
      isExact: false,
      warnings: [
        'owners could not be kept: only root can give files away; they belong to this user now',
        'attributes that only root may set were left out',
      ],
    });
    expect(() => compareTrees(count({}), count({ attributes: [] }), somebody)).toThrow('attributes');
  });

  test('forgives times, which some file systems keep less exactly', () => {
    expect(compareTrees(count({}), count({ mtime: '1' }), limits).warnings).toEqual([
      'times could not be kept exactly here',
    ]);
  });
});
