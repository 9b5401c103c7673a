import { globSync, readFileSync } from 'node:fs';
import { matchesGlob } from 'node:path';
import { expect, test } from 'vitest';
import { SERVER_SUITES, VERSIONED_SUITES } from './suites.ts';

const ROOT = new URL('../..', import.meta.url).pathname;
const FILES = globSync('test/**/*.test.ts', { cwd: ROOT });
const matches = (file: string, patterns: readonly string[]): boolean =>
  patterns.some((pattern) => matchesGlob(file, pattern));

test('what tries every version of a server is run with the full set', () => {
  const tries = /\b(?:servicesToTry|searchServers|STORES)\b/;
  const trying = FILES.filter(
    (file) => tries.test(readFileSync(`${ROOT}/${file}`, 'utf8')) && !file.endsWith('suites.test.ts'),
  );
  expect(trying.length).toBeGreaterThan(15);
  expect(trying.filter((file) => !matches(file, VERSIONED_SUITES))).toEqual([]);
});

test('every suite of the full set is there, and is one that talks to servers', () => {
  expect(VERSIONED_SUITES.filter((pattern) => !FILES.some((file) => matchesGlob(file, pattern)))).toEqual([]);
  const found = FILES.filter((file) => matches(file, VERSIONED_SUITES));
  expect(found.filter((file) => !matches(file, SERVER_SUITES))).toEqual([]);
});
