import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  canonicalName,
  folderOf,
  fromText,
  joinNames,
  lastPart,
  quoteName,
  toBuffer,
  toText,
} from '../../../src/engines/files/byte-name.ts';
import { topmost } from '../../../src/engines/files/capture-roots.ts';
import { createChoice, parseChosenPaths } from '../../../src/engines/files/choice.ts';
import { parseMountInfo } from '../../../src/engines/files/mounts.ts';
import { createNameTable, NAME } from '../../../src/engines/files/name-table.ts';
import { isInsideOwn, isOwnName, isSetAsidePath, ownPath } from '../../../src/engines/files/own-names.ts';
import { createArgv, extractArgv, listedName } from '../../../src/engines/files/tar-argv.ts';
import { SNAPSHOT } from './snapshots.ts';

describe('names as bytes', () => {
  test('come back whole, whatever they hold', () => {
    expect(toText(fromText('ünï'))).toBe('ünï');
    expect(toText('a\xff')).toBeNull();
    expect(toBuffer('a\xff')).toEqual(Buffer.from([0x61, 0xff]));
    expect(quoteName('a\xff\n\x1b[31m')).toBe(String.raw`"a\xff\n\u001b[31m"`);
    expect(quoteName(fromText('日本'))).toBe('"日本"');
  });

  test.each([
    ['a', 'a'],
    ['./a', 'a'],
    ['a/', 'a'],
    ['.', '.'],
    ['./', '.'],
    ['a//b/./c/', 'a/b/c'],
    ['/a/', '/a'],
    ['/', '/'],
    ['../a', '../a'],
    ['a/../b', 'a/../b'],
    ['.a', '.a'],
    ['a.', 'a.'],
    ['a/.b', 'a/.b'],
    ['...', '...'],
  ])('%j is %j in short', (name, expected) => {
    expect(canonicalName(name)).toBe(expected);
  });

  test('are joined and taken apart', () => {
    expect([joinNames('', 'a'), joinNames('/', 'a'), joinNames('a', 'b'), joinNames('a', '.')]).toEqual([
      'a',
      '/a',
      'a/b',
      'a',
    ]);
    expect([folderOf('/a'), folderOf('a'), folderOf('/a/b'), folderOf('/')]).toEqual(['/', '', '/a', '/']);
    expect([lastPart('/a/b'), lastPart('a')]).toEqual(['b', 'a']);
  });
});

describe("bkp's own names", () => {
  test('are recognised, and nothing else', () => {
    for (const kind of ['new', 'old', 'swap'] as const) {
      const path = ownPath('/srv', '/srv/app', kind, SNAPSHOT);
      expect(path).toBe(`/srv/.app.bkp-${kind}-${SNAPSHOT}`);
      expect(isOwnName(lastPart(path))).toBe(true);
      expect(isSetAsidePath(path)).toBe(kind === 'old');
      expect(isSetAsidePath(`${path}-2`)).toBe(kind === 'old');
      expect(isInsideOwn(`${path}/x/y`)).toBe(true);
    }
    for (const name of [
      'app',
      '.app',
      '.app.bkp-old-',
      '.app.bkp-old-notes',
      `app.bkp-old-${SNAPSHOT}`,
      `.app.bkp-old-${SNAPSHOT}.txt`,
      `.bkp-old-${SNAPSHOT}`,
    ]) {
      expect(isOwnName(name), name).toBe(false);
      expect(isSetAsidePath(`/srv/${name}`), name).toBe(false);
    }
  });

  test('fit into a folder and keep their characters whole', () => {
    const path = ownPath('/srv', `/srv/${fromText('é'.repeat(127))}`, 'old', SNAPSHOT);
    expect(toBuffer(lastPart(path)).length).toBeLessThanOrEqual(255);
    expect(toText(path)).not.toBeNull();
    expect(isSetAsidePath(`${path}-100`)).toBe(true);
  });
});

test('a table of names tells them apart', () => {
  const table = createNameTable();
  const known = new Map<string, (typeof NAME)[keyof typeof NAME]>();
  for (let index = 0; index < 20_000; index++) {
    const name = `folder-${index % 100}/file-${index}`;
    const kind = ([NAME.folder, NAME.other, NAME.link, NAME.impliedFolder] as const)[index % 4] ?? NAME.other;
    expect(table.get(name)).toBe(NAME.unknown);
    table.set(name, kind);
    known.set(name, kind);
  }
  table.set('folder-0/file-0', NAME.other);
  known.set('folder-0/file-0', NAME.other);
  for (const [name, kind] of known) expect(table.get(name)).toBe(kind);
  expect(table.get('folder-0/file-1')).toBe(NAME.unknown);
});

describe('a choice', () => {
  test('covers the chosen names and what is below them', () => {
    const choice = createChoice(['a/b', 'c', 'd/e/f']);
    const covers = ['a', 'a/b', 'a/b/x/y', 'a/bc', 'c', 'c/d', 'cd', 'd/e', 'd/e/f', 'd/e/g', ''];
    expect(covers.map((name) => choice.coverOf(name))).toEqual([
      null,
      'a/b',
      'a/b',
      null,
      'c',
      'c',
      null,
      null,
      'd/e/f',
      null,
      null,
    ]);
    expect(createChoice(['.']).coverOf('anything')).toBe('.');
  });

  test('is the same for every way to write a path', () => {
    expect(parseChosenPaths(['/a/b/', 'a//b', './a/b', 'a/b/c', 'z', '/'])).toEqual(['.']);
    expect(parseChosenPaths(['/a/b/', 'a//b', './a/b', 'a/b/c', 'z'])).toEqual(['a/b', 'z']);
    expect(() => parseChosenPaths(['a/../b'])).toThrow('has no ".."');
  });

  test('agrees with the plain definition', () => {
    const name = fc
      .array(fc.constantFrom('a', 'b', 'ab'), { minLength: 1, maxLength: 4 })
      .map((parts) => parts.join('/'));
    fc.assert(
      fc.property(fc.array(name, { maxLength: 4 }), fc.array(name, { maxLength: 30 }), (chosen, names) => {
        const choice = createChoice(chosen);
        for (const one of names) {
          const expected = chosen.some((top) => one === top || one.startsWith(`${top}/`));
          expect(choice.coverOf(one) !== null).toBe(expected);
        }
      }),
      { seed: 3 },
    );
  });
});

test('the topmost paths of a list', () => {
  expect(topmost(['/a', '/a/b', '/ab', '/c/d/e', '/c/d'])).toEqual(['/a', '/ab', '/c/d']);
  expect(topmost(['/', '/a'])).toEqual(['/']);
});

test('mount points with blanks in them are understood', () => {
  const text = '22 1 0:20 / / rw - ext4 /dev/vda rw\n30 22 0:25 / /mnt/a\\040b\\134c rw shared:1 - tmpfs tmpfs rw\n';
  expect(parseMountInfo(text)).toEqual(new Set(['/', String.raw`/mnt/a b\c`]));
});

describe('the two kinds of tar', () => {
  const gnu = { flavour: 'gnu', version: '' } as const;
  const bsd = { flavour: 'bsd', version: '' } as const;
  const create = { base: '/', listFile: '/l', recursive: false, oneFileSystem: true, exclude: null };
  const extract = { base: '/b', listFile: '/l', asRoot: false, textAcls: false };

  test('get names from a list only, never as arguments', () => {
    for (const tar of [gnu, bsd]) {
      for (const argv of [createArgv(tar, create), extractArgv(tar, extract)]) {
        expect(argv.join(' ')).toMatch(/--null.* (?:--files-from=\/l|-T \/l)$/);
      }
    }
  });

  test('get names that bsdtar would take for patterns escaped, when it extracts', () => {
    expect(listedName(gnu, 'a*[b]?')).toBe('a*[b]?');
    expect(listedName(bsd, 'a*[b]?\\')).toBe(String.raw`a\*\[b\]\?\\`);
  });

  test('are told what only one of them can do', () => {
    expect(createArgv(gnu, { ...create, recursive: true, exclude: 'tmp/w' })).toContain('--exclude=tmp/w');
    expect(createArgv(gnu, create)).toContain('--one-file-system');
    expect(extractArgv(gnu, { ...extract, asRoot: true })).toContain('--xattrs-include=*');
    expect(extractArgv(gnu, extract)).not.toContain('--xattrs-include=*');
    expect(extractArgv(gnu, extract)).toContain('--no-same-owner');
    expect(extractArgv(bsd, { ...extract, asRoot: true })).toContain('--same-owner');
    expect(extractArgv(bsd, { ...extract, listFile: null })).not.toContain('-T');
  });
});
