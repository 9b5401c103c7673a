import { expect, test } from 'vitest';
import { createKeySet } from '../../../src/engines/s3/key-set.ts';

async function* numbered(count: number): AsyncGenerator<string> {
  for (let n = 0; n < count; n++) yield `some/${n}`;
}

test.each([0, 1, 1023, 1024, 1025, 20_000])('knows each of %i keys and no other', async (count) => {
  const has = await createKeySet(numbered(count));
  for (let n = 0; n < count; n++) expect(has(`some/${n}`)).toBe(true);
  for (let n = count; n < count + 2000; n++) expect(has(`some/${n}`)).toBe(false);
});
