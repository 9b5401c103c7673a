import type { GetObjectCommandOutput } from '@aws-sdk/client-s3';
import { BkpError } from '../../errors.ts';
import { openWithAnswer, type OpenedObject } from '../../s3/download.ts';
import { failureOf } from '../../s3/failure.ts';
import { objectAt, type Store } from '../../s3/store.ts';
import type { BucketObject } from './list-bucket.ts';

/** An object that is there, with its tags; null when it was removed since it was listed. */
export interface Fetched extends OpenedObject {
  readonly name: string;
  readonly tags: Readonly<Record<string, string>>;
}

/** Objects that are read ahead at once, and how much of them is in memory. */
const AHEAD = 16;
const AHEAD_BYTES = 16 * 1024 * 1024;
/** The first answer to a read brings no more. */
const FIRST_BYTES = 4 * 1024 * 1024;

/** Reads objects in the order in which they are listed, several at once. */
export async function* fetchObjects(
  store: Store,
  objects: AsyncIterable<BucketObject>,
): AsyncGenerator<Fetched | { readonly name: string; readonly content: null }> {
  const underWay: { readonly bytes: number; readonly fetching: Promise<Fetched | undefined>; readonly name: string }[] =
    [];
  const source = objects[Symbol.asyncIterator]();
  let held = 0;
  let isEnded = false;
  try {
    for (;;) {
      while (!isEnded && underWay.length < AHEAD && (held < AHEAD_BYTES || underWay.length === 0)) {
        const listed = await source.next();
        if (listed.done === true) {
          isEnded = true;
          break;
        }
        const { name } = listed.value;
        const bytes = Math.min(listed.value.bytes, FIRST_BYTES);
        const fetching = fetchObject(store, name);
        // It is awaited in its turn; until then its failure must not end the process.
        fetching.catch(() => undefined);
        underWay.push({ bytes, fetching, name });
        held += bytes;
      }
      const next = underWay.shift();
      if (next === undefined) return;
      const fetched = await next.fetching;
      yield fetched ?? { name: next.name, content: null };
      held -= next.bytes;
    }
  } finally {
    await source.return?.();
    for (const { fetching } of underWay) fetching.then((one) => one?.content.destroy()).catch(() => undefined);
  }
}

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
  { TagCount, VersionId }: GetObjectCommandOutput,
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
