import { hash } from 'node:crypto';

/** Says whether a key is one of many. */
export type KeySet = (key: string) => boolean;

/** Keys in eight bytes each, so that millions fit in memory: one that is not among n is taken for one of them n times in 2^64. */
export async function createKeySet(keys: AsyncIterable<string>): Promise<KeySet> {
  let digests = new BigUint64Array(1024);
  let count = 0;
  for await (const key of keys) {
    if (count === digests.length) {
      const larger = new BigUint64Array(2 * count);
      larger.set(digests);
      digests = larger;
    }
    digests[count++] = digestOf(key);
  }
  const sorted = digests.subarray(0, count).sort();
  return (key) => {
    const wanted = digestOf(key);
    let [low, high] = [0, count];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((sorted[middle] ?? 0n) < wanted) low = middle + 1;
      else high = middle;
    }
    return sorted[low] === wanted;
  };
}

const digestOf = (key: string): bigint => hash('sha256', key, 'buffer').readBigUInt64LE();
