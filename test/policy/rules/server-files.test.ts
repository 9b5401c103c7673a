import { expect, it } from 'vitest';
import { GOOD, problemsWith } from '../policy-text.ts';

const withTarget = (keys: string): string =>
  GOOD.replace(/^( {2}app-db: )\{.*\}$/m, `$1{ type: redis, ${keys} }`).replace(/^ {4}checks:\n(?: {6}.*\n)*/m, '');

it.each([
  ['host: cache', []],
  ['host: cache, method: file', ['BKP2066 into which folder?']],
  ['host: cache, appendOnly: true', ['BKP2066 there is no `directory` with append-only files']],
  ['host: cache, method: file, directory: /var/lib/redis, appendOnly: true', []],
  ['host: cache, directory: /var/lib/redis', []],
])('a target of Redis has a folder for its files: %s', async (keys, problems) => {
  const found = await problemsWith(withTarget(keys), 'BKP2066');
  expect(found.map((problem) => problem.replace(/^\S+ /, ''))).toEqual(problems);
});
