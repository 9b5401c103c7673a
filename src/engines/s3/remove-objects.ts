import type { Context } from '../../context.ts';
import { eachLimited } from '../../each-limited.ts';
import { throwIfAborted } from '../../errors.ts';
import { removeObject } from '../../s3/remove-object.ts';
import type { Store } from '../../s3/store.ts';
import { createKeySet } from './key-set.ts';
import { listBucket } from './list-bucket.ts';
import { readRecords } from './unpack-objects.ts';

const AT_ONCE = 16;
const BATCH = 1000;

/** Removes what is not told of in the file with the metadata of an archive, once everything that is told of is there. */
export async function removeOthers(store: Store, metadata: string, context: Context): Promise<void> {
  const isWanted = await createKeySet(keysIn(metadata));
  const others = async function* (): AsyncGenerator<string> {
    for await (const { name } of listBucket(store, context.signal)) if (!isWanted(name)) yield name;
  };
  await removeEach(store, others(), () => throwIfAborted(context.signal));
}

/** Removes what is told of: nobody else's objects were there before. */
export const removeListed = (store: Store, metadata: string): Promise<void> => removeEach(store, keysIn(metadata));

async function* keysIn(metadata: string): AsyncGenerator<string> {
  for await (const { key } of readRecords(metadata)) yield key;
}

async function removeEach(
  store: Store,
  names: AsyncIterable<string>,
  mayGoOn: () => void = () => undefined,
): Promise<void> {
  const remove = async (name: string): Promise<void> => {
    mayGoOn();
    await removeObject(store, name);
  };
  let batch: string[] = [];
  for await (const name of names) {
    batch.push(name);
    if (batch.length < BATCH) continue;
    await eachLimited(batch, AT_ONCE, remove);
    batch = [];
  }
  await eachLimited(batch, AT_ONCE, remove);
}
