import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readLines } from '../src/read-lines.ts';
import { testContext } from './test-context.ts';

async function linesOf(text: string): Promise<readonly string[]> {
  const { folder } = await testContext();
  const path = join(folder, 'lines');
  await writeFile(path, text);
  const lines: string[] = [];
  for await (const line of readLines(path)) lines.push(line);
  return lines;
}

test.each<[string, string, readonly string[]]>([
  ['an empty file has none', '', []],
  ['a line feed ends one', 'a\n\nb\n', ['a', '', 'b']],
  ['the last one may lack it', 'a\nb', ['a', 'b']],
  ['other separators are characters', 'a\u2028b\u2029c\rd\u0085e\n', ['a\u2028b\u2029c\rd\u0085e']],
])('%s', async (_, text, lines) => {
  expect(await linesOf(text)).toEqual(lines);
});

test('JSON comes back line by line, also where characters lie across the pieces of a file', async () => {
  const values = fc.array(fc.string({ unit: 'binary', maxLength: 40_000, size: 'max' }), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(values, async (all) => {
      const lines = await linesOf(all.map((value) => `${JSON.stringify(value)}\n`).join(''));
      expect(lines.map((line) => JSON.parse(line) as string)).toEqual(all);
    }),
    { numRuns: 25 },
  );
});
