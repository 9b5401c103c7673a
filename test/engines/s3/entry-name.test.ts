import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { pack } from 'tar-stream';
import { describe, expect, test } from 'vitest';
import { createEntryNames, METADATA } from '../../../src/engines/s3/entry-name.ts';
import { testContext } from '../../test-context.ts';

/** The names of some keys, asked for in the order of a store. */
function namesOf(keys: readonly string[]): ReadonlyMap<string, string> {
  const nameOf = createEntryNames();
  const sorted = keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return new Map(sorted.map((key) => [key, nameOf(key)]));
}

/** What the system's tar makes of an archive with these names. */
async function extracted(names: Iterable<string>): Promise<readonly string[]> {
  const { folder } = await testContext();
  const archive = pack();
  for (const name of names) archive.entry({ name }, 'x');
  archive.finalize();
  execFileSync('tar', ['-x', '-C', folder, '-f', '-'], { input: await buffer(archive), stdio: 'pipe' });
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`.slice(folder.length + 1));
}

describe('the name of an entry', () => {
  test.each(['plain', 'a/b/c.txt', 'ünï¢öde/日本', 'sp ace', "quo'te", '%41', '-dash', '.hidden', 'a.', '~'])(
    'is the key %j itself',
    (key) => {
      expect(namesOf([key]).get(key)).toBe(key);
    },
  );

  test.each([
    '/x',
    '../x',
    'a/../x',
    'x//y',
    'folder/',
    './x',
    'new\nline',
    '\x01',
    METADATA,
    '.bkp-encoded/x',
    'n'.repeat(1024),
  ])('is encoded for %j', async (key) => {
    const name = namesOf([key]).get(key) ?? '';
    expect(name).toMatch(/^\.bkp-encoded\/[\w%/~-]+$/);
    expect(await extracted([name])).toEqual([name]);
  });

  test('is encoded where a key lies below another', async () => {
    const names = namesOf(['a', 'a-b', 'a/b', 'a/b/c', 'ab/c']);
    expect([...names.values()]).toEqual(['a', 'a-b', '.bkp-encoded/a%2Fb', '.bkp-encoded/a%2Fb%2Fc', 'ab/c']);
    expect((await extracted(names.values())).toSorted()).toEqual([...names.values()].toSorted());
  });

  test('is another one for every key, and all of them go on one disk', async () => {
    const part = fc.constantFrom('a', 'b', '/', '.', '..', '~', '%', '2F', 'é', 'x'.repeat(210));
    const keys = fc.uniqueArray(
      fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('')),
      { minLength: 1, maxLength: 25 },
    );
    await fc.assert(
      fc.asyncProperty(keys, async (some) => {
        const names = [...namesOf(some).values()];
        expect((await extracted(names)).toSorted()).toEqual(names.toSorted());
      }),
      { numRuns: 60 },
    );
  });
});
