import { eachInOrder, type Room } from '../../each-limited.ts';
import { BkpError } from '../../errors.ts';
import { openWithAnswer, type OpenedObject } from '../../s3/download.ts';
import { failureOf } from '../../s3/failure.ts';
import type { ObjectAnswer } from '../../s3/get-object.ts';
import { objectAt, type Store } from '../../s3/store.ts';
import type { BucketObject } from './list-bucket.ts';

/** An object that is there, with its tags; null when it was removed since it was listed. */
export interface Fetched extends OpenedObject {
  readonly name: string;
  readonly tags: Readonly<Record<string, string>>;
}

/** The first answer to a read brings no more. */
const FIRST_BYTES = 4 * 1024 * 1024;
/** What is read ahead. */
const AHEAD: Room<BucketObject> = {
  items: 16,
  weight: 8 * 1024 * 1024,
  weigh: ({ bytes }) => Math.min(bytes, FIRST_BYTES),
};

/** Reads objects in the order in which they are listed, several at once. */
export const fetchObjects = (
  store: Store,
  objects: AsyncIterable<BucketObject>,
): AsyncIterable<Fetched | { readonly name: string; readonly content: null }> =>
  eachInOrder(objects, AHEAD, async ({ name }) => (await fetchObject(store, name)) ?? { name, content: null });

/** Opens one object; undefined where it is not there any more. */
export async function fetchObject(store: Store, name: string): Promise<Fetched | undefined> {
  try {
    const opened = await openWithAnswer(store, name);
    return { ...opened, name, tags: await tagsOf(store, name, opened.answer) };
  } catch (error) {
    if (error instanceof BkpError && error.code === 'not-found') return undefined;
    throw error;
  }
}

/** The tags of an object, asked for only where the store says that there are some. */
export async function tagsOf(
  store: Store,
  name: string,
  { TagCount, VersionId }: ObjectAnswer,
): Promise<Readonly<Record<string, string>>> {
  if ((TagCount ?? 0) === 0) return {};
  const { TagSet = [] } = await store.request({
    verb: 'read the tags of',
    object: name,
    send: async (client, options) => {
      try {
        return await client.getObjectTagging(objectAt(store, name, VersionId), options);
      } catch (error) {
        if (['NoSuchTagSet', 'NotImplemented', 'NoSuchKey'].includes(failureOf(error).code)) return { TagSet: [] };
        throw error;
      }
    },
  });
  return Object.fromEntries(TagSet.map(({ Key = '', Value = '' }) => [Key, Value]));
}
