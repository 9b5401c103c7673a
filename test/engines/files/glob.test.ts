import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromText } from '../../../src/engines/files/byte-name.ts';
import { compileGlobs } from '../../../src/engines/files/glob.ts';

const matches = (glob: string, path: string, isFolder = false): boolean =>
  compileGlobs([glob]).matches(fromText(path), isFolder);

describe('globs', () => {
  test.each([
    ['*.conf', 'app.conf', true],
    ['*.conf', 'a/app.conf', false],
    ['**/*.conf', 'app.conf', true],
    ['**/*.conf', 'a/b/app.conf', true],
    ['a/**', 'a', false],
    ['a/**', 'a/b', true],
    ['a/**', 'a/b/c', true],
    ['a/**/b', 'a/b', true],
    ['a/**/b', 'a/x/y/b', true],
    ['a/**/b', 'axb', false],
    ['**', 'a', true],
    ['**', 'a/b/.c', true],
    ['*', '.hidden', true],
    ['a?c', 'abc', true],
    ['a?c', 'aäc', true],
    ['a?c', 'a/c', false],
    ['[a-c]x', 'bx', true],
    ['[a-c]x', 'dx', false],
    ['[!a-c]x', 'dx', true],
    ['[^a-c]x', 'bx', false],
    ['[!a]b', '/b', false],
    ['[]]x', ']x', true],
    ['[ä-ö]', 'ä', true],
    ['a[b', 'a[b', true],
    ['{a,b}', 'a', false],
    ['{a,b}', '{a,b}', true],
    ['(x|y).+', '(x|y).+', true],
    ['!a', '!a', true],
    [String.raw`\*`, '*', true],
    [String.raw`\*`, 'a', false],
    ['./a/', 'a', false],
    ['/a', 'a', true],
    ['new\nline*', 'new\nlines', true],
  ])('%j on %j: %s', (glob, path, expected) => {
    expect(matches(glob, path)).toBe(expected);
  });

  test.each([
    ['a/b/*.conf', 'a', true],
    ['a/b/*.conf', 'a/b', true],
    ['a/b/*.conf', 'a/b/c', false],
    ['a/b/*.conf', 'b', false],
    ['*/x', 'any', true],
    ['a/**', 'a', true],
    ['a/**', 'b', false],
    ['a/**/x', 'a/b/c', true],
    ['**/x', 'a/b', true],
    ['x', 'a', false],
  ])('%j leads through folder %j: %s', (glob, folder, expected) => {
    expect(compileGlobs([glob]).leadsTo(fromText(folder))).toBe(expected);
  });

  test('what matches is always led to', () => {
    const part = fc.constantFrom('a', 'b', '*', '**', 'a?');
    const name = fc.constantFrom('a', 'b', 'ab');
    fc.assert(
      fc.property(
        fc.array(part, { minLength: 1, maxLength: 4 }),
        fc.array(name, { minLength: 2, maxLength: 5 }),
        (parts, names) => {
          const globs = compileGlobs([parts.join('/')]);
          const isMatch = globs.matches(names.join('/'), false);
          for (let depth = 1; depth < names.length; depth++) {
            const folder = names.slice(0, depth).join('/');
            // A folder that matches itself is entered for all that is in it.
            if (isMatch && !globs.matches(folder, true)) expect(globs.leadsTo(folder), folder).toBe(true);
          }
        },
      ),
      { numRuns: 2000, seed: 5 },
    );
  });

  test('one that ends in a slash matches folders only', () => {
    expect(matches('tmp/', 'tmp', true)).toBe(true);
    expect(matches('tmp/', 'tmp', false)).toBe(false);
  });

  test('names that are not UTF-8 are matched byte by byte', () => {
    expect(compileGlobs(['a?c']).matches('a\xffc', false)).toBe(true);
    expect(compileGlobs(['*.conf']).matches('\xff\xfe.conf', false)).toBe(true);
  });

  test('a class that is no class is refused with the glob in the message', () => {
    expect(() => matches('[z-a]', 'x')).toThrow('cannot use glob "[z-a]"');
  });

  test('a name always matches itself when every character is taken as it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (text) => {
        const name = text.replace(/[/\0]/g, '') || 'x';
        const glob = Array.from(name, (character) => `\\${character}`).join('');
        expect(matches(glob, name)).toBe(true);
      }),
      { numRuns: 300, seed: 7 },
    );
  });
});
