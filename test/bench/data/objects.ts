import { randomUUID } from 'node:crypto';
import { eachLimited } from '../../../src/each-limited.ts';
import type { BenchStore } from './store.ts';
import { createRandom, createText } from './words.ts';

const AT_ONCE = 16;

export interface Objects {
  readonly small: number;
  readonly meanBytes: number;
  readonly large: number;
  readonly largeBytes: number;
}

/** Many small objects and a few large ones. */
export const TREE: Objects = { small: 10_000, meanBytes: 16_000, large: 4, largeBytes: 50_000_000 };

/** Puts objects of text below a prefix, the small ones in folders of 100. */
export async function putObjects(
  { client, bucket }: BenchStore,
  prefix: string,
  { small, meanBytes, large, largeBytes }: Objects,
): Promise<void> {
  const random = createRandom(20);
  const text = createText(random);
  const put = (name: string, Body: Buffer): Promise<unknown> =>
    client.putObject({ Bucket: bucket, Key: `${prefix}/${name}`, Body, ContentType: 'text/plain' });
  const numbers = Array.from({ length: small }, (_, n) => n);
  await eachLimited(numbers, AT_ONCE, (n) => put(smallName(n), text(Math.round(random() * 2 * meanBytes))));
  for (let n = 0; n < large; n += 1) await put(`large-${n}.log`, text(largeBytes));
}

/** Writes one of so many small objects anew, with other text each time. */
export async function changeObjects(
  { client, bucket }: BenchStore,
  prefix: string,
  { small }: Pick<Objects, 'small'>,
  oneOf: number,
): Promise<void> {
  const numbers = Array.from({ length: small / oneOf }, (_, n) => n * oneOf);
  await eachLimited(numbers, AT_ONCE, (n) =>
    client.putObject({ Bucket: bucket, Key: `${prefix}/${smallName(n)}`, Body: `${n} ${randomUUID()}\n`.repeat(400) }),
  );
}

const smallName = (n: number): string => `folder-${Math.floor(n / 100)}/object-${n}.txt`;
