import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { Context } from '../../context.ts';
import { eachInOrder, type Room } from '../../each-limited.ts';
import { BkpError, throwIfAborted } from '../../errors.ts';
import { failureOf } from '../../s3/failure.ts';
import type { ObjectAnswer } from '../../s3/get-object.ts';
import { objectAt, type Store } from '../../s3/store.ts';
import type { ListedFile } from '../../streams/bytes.ts';
import type { OutgoingFolder } from '../engine.ts';
import { fetchObject, tagsOf } from './fetch-objects.ts';
import { type BucketObject, listBucket } from './list-bucket.ts';
import { type ObjectRecord, recordOf } from './object-record.ts';

/** How often an object is read that somebody replaces each time. */
const TRIES = 3;
const SMALL_BYTES = 1024 * 1024;

/** Objects on their way at once: many small ones, a few large ones. */
export const OBJECTS_AT_ONCE: Room<{ readonly bytes: number }> = {
  items: 16,
  weight: 32 * 1024 * 1024,
  weigh: ({ bytes }) => bytes,
};

/** Stores every object of a bucket by itself, and gives a list of them: a line each, and one that counts them. */
export const mirrorObjects = (
  store: Store,
  folder: OutgoingFolder,
  onGone: (name: string) => void,
  context: Context,
): Readable => Readable.from(lines(store, folder, onGone, context), { objectMode: false });

async function* lines(
  store: Store,
  folder: OutgoingFolder,
  onGone: (name: string) => void,
  context: Context,
): AsyncGenerator<Buffer> {
  let [objects, bytes] = [0, 0];
  const records = eachInOrder(withEarlier(store, folder, context), OBJECTS_AT_ONCE, async (found) => {
    throwIfAborted(context.signal);
    return {
      name: found.name,
      record: (await keepObject(store, folder, found)) ?? (await takeObject(store, folder, found)),
    };
  });
  for await (const { name, record } of records) {
    if (record === null) {
      onGone(name);
      continue;
    }
    objects++;
    bytes += record.bytes;
    yield Buffer.from(`${JSON.stringify(record)}\n`);
  }
  yield Buffer.from(`${JSON.stringify({ objects, bytes })}\n`);
}

interface Found extends BucketObject {
  readonly earlier: ListedFile | undefined;
}

async function* withEarlier(store: Store, folder: OutgoingFolder, { signal }: Context): AsyncGenerator<Found> {
  for await (const object of listBucket(store, signal)) yield { ...object, earlier: await folder.earlier(object.name) };
}

/** The bytes that an earlier snapshot has, with all else as it is now; undefined where they are others, or cannot be copied. */
async function keepObject(
  store: Store,
  folder: OutgoingFolder,
  { name, etag, bytes, earlier }: Found,
): Promise<ObjectRecord | undefined> {
  // There is no first byte of an empty object, and nothing to save.
  if (earlier === undefined || bytes === 0 || earlier.bytes !== bytes) return undefined;
  if (!('etag' in earlier) || earlier.etag !== etag || etag === '') return undefined;
  const answer = await lookAt(store, name, etag);
  if (answer === undefined) return undefined;
  const tags = await tagsOf(store, name, answer);
  const kept = await folder.keep(earlier);
  return kept && recordOf(kept, answer, tags);
}

/** What the store says of an object that still is the one that was listed. A read tells more than a look: how many tags. */
const lookAt = (store: Store, name: string, etag: string): Promise<ObjectAnswer | undefined> =>
  store.request({
    verb: 'look at',
    object: name,
    send: async (client, options) => {
      try {
        const asked = { ...objectAt(store, name), Range: 'bytes=0-0', IfMatch: etag };
        const answer = await store.getObject(client, asked, options);
        // To its end, so that its connection can be used again.
        for await (const _ of answer.body);
        return answer.ETag === etag ? answer : undefined;
      } catch (error) {
        const { status } = failureOf(error);
        if (status === 404 || status === 412 || status === 416) return undefined;
        throw error;
      }
    },
  });

/** Reads an object and stores it; null where it was removed since it was listed. */
async function takeObject(store: Store, folder: OutgoingFolder, { name }: Found): Promise<ObjectRecord | null> {
  for (let tries = 1; ; tries++) {
    const fetched = await fetchObject(store, name);
    if (fetched === undefined) return null;
    const { content, bytes, answer, tags } = fetched;
    try {
      const isReady = Buffer.isBuffer(content) || bytes > SMALL_BYTES;
      const file = await folder.put(name, isReady ? content : await buffer(content), bytes);
      return recordOf(file, answer, tags);
    } catch (error) {
      if (!Buffer.isBuffer(content)) content.destroy();
      if (tries === TRIES || !(error instanceof BkpError) || error.code !== 'target') throw error;
    }
  }
}
