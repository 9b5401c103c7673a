import { Encrypter } from 'age-encryption';
import { expect, test } from 'vitest';
import { createAgeWalker, type AgeOutline } from '../../src/encryption/age-outline.ts';
import { ageKey } from '../streams/age-keys.ts';
import { testFolder } from '../test-context.ts';

/** Given in pieces of any length. */
function outlineOf(bytes: Uint8Array, step: number): AgeOutline {
  const walker = createAgeWalker();
  for (let at = 0; at < bytes.length; at += step) walker.push(Buffer.from(bytes.subarray(at, at + step)));
  return walker.outline();
}

test('the length inside is known from outside', async () => {
  const [one, two] = [await ageKey(await testFolder()), await ageKey(await testFolder())];
  const encrypter = new Encrypter();
  encrypter.addRecipient(one.recipient);
  encrypter.addRecipient(two.recipient);
  for (const size of [0, 1, 65_535, 65_536, 65_537, 131_072, 200_000]) {
    const bytes = await encrypter.encrypt(new Uint8Array(size).fill(10));
    for (const step of [7, 1_000, bytes.length]) expect(outlineOf(bytes, step).plainBytes).toBe(size);
    const { headerBytes } = outlineOf(bytes, 100);
    expect(Buffer.from(bytes).toString('latin1', 0, headerBytes ?? 0)).toMatch(/\n--- [^\n]+\n$/);
    expect(outlineOf(bytes.subarray(0, (headerBytes ?? 0) - 1), 50)).toEqual({ headerBytes: null, plainBytes: null });
    expect(outlineOf(bytes.subarray(0, (headerBytes ?? 0) + 31), 50).plainBytes).toBeNull();
  }
  expect(outlineOf(Buffer.from('something else'), 3)).toEqual({ headerBytes: null, plainBytes: null });
});
