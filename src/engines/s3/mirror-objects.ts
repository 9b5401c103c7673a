import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { Context } from '../../context.ts';
import { eachInOrder, type Room } from '../../each-limited.ts';
import { BkpError, throwIfAborted } from '../../errors.ts';
import { failureOf } from '../../s3/failure.ts';
import type { ObjectAnswer } from '../../s3/get-object.ts';
import { objectAt, type Store } from '../../s3/store.ts';
import type { OutgoingFolder } from '../engine.ts';
import { fetchObject, tagsOf } from './fetch-objects.ts';
import { type BucketObject, listBucket } from './list-bucket.ts';
import { isObjectRecord, isUntouched, type ObjectRecord, recordOf } from './object-record.ts';

/** How often an object is read that somebody replaces each time. */
const TRIES = 3;
/** Lines that are passed on together. */
const CHUNK_LENGTH = 64 * 1024;
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
  options: MirrorOptions,
  context: Context,
): Readable => Readable.from(lines(store, folder, options, context), { objectMode: false });

export interface MirrorOptions {
  /** Told of objects that were removed since they were listed. */
  readonly onGone: (name: string) => void;
  /** Every object is asked for tags that it may have got. */
  readonly asksForTags: boolean;
}

async function* lines(
  store: Store,
  folder: OutgoingFolder,
  { onGone, asksForTags }: MirrorOptions,
  context: Context,
): AsyncGenerator<Buffer> {
  let [objects, bytes] = [0, 0];
  const records = eachInOrder(withEarlier(store, folder, context), ON_THEIR_WAY, async (found) => {
    throwIfAborted(context.signal);
    const record = (await keepObject(store, folder, found, asksForTags)) ?? (await takeObject(store, folder, found));
    return { name: found.name, record };
  });
  let text = '';
  for await (const { name, record } of records) {
    if (record === null) {
      onGone(name);
      continue;
    }
    objects++;
    bytes += record.bytes;
    text += `${JSON.stringify(record)}\n`;
    if (text.length < CHUNK_LENGTH) continue;
    yield Buffer.from(text);
    text = '';
  }
  yield Buffer.from(`${text}${JSON.stringify({ objects, bytes })}\n`);
}

interface Found extends BucketObject {
  /** What an earlier snapshot has of the same bytes. */
  readonly earlier: ObjectRecord | undefined;
}

/** What is kept does not pass through here: twice as many of those. */
const ON_THEIR_WAY: Room<Found> = {
  items: 2 * OBJECTS_AT_ONCE.items,
  weight: OBJECTS_AT_ONCE.weight,
  weigh: ({ bytes, earlier }) =>
    earlier === undefined ? Math.max(bytes, OBJECTS_AT_ONCE.weight / OBJECTS_AT_ONCE.items) : 0,
};

async function* withEarlier(store: Store, folder: OutgoingFolder, { signal }: Context): AsyncGenerator<Found> {
  for await (const object of listBucket(store, signal)) {
    const { name, etag, bytes } = object;
    const earlier = await folder.earlier(name);
    const isSame = isObjectRecord(earlier) && earlier.bytes === bytes && earlier.etag === etag && etag !== '';
    yield { ...object, earlier: isSame ? earlier : undefined };
  }
}

/** The bytes that an earlier snapshot has, with all else as it is now; undefined where they are others, or cannot be copied. */
async function keepObject(
  store: Store,
  folder: OutgoingFolder,
  { name, etag, bytes, earlier, modified }: Found,
  asksForTags: boolean,
): Promise<ObjectRecord | undefined> {
  if (earlier === undefined) return undefined;
  if (!asksForTags && isUntouched(earlier, modified)) {
    const kept = await folder.keep(earlier);
    return kept && { ...earlier, entry: kept.entry };
  }
  // There is no first byte of an empty object, and nothing to save.
  if (bytes === 0) return undefined;
  const answer = await lookAt(store, name, etag);
  if (answer === undefined) return undefined;
  const tags = await tagsOf(store, name, answer);
  const kept = await folder.keep(earlier);
  return kept && recordOf(kept, answer, tags, store.now() ?? answer.LastModified);
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
      return recordOf(file, answer, tags, store.now() ?? answer.LastModified);
    } catch (error) {
      if (!Buffer.isBuffer(content)) content.destroy();
      if (tries === TRIES || !(error instanceof BkpError) || error.code !== 'target') throw error;
    }
  }
}
