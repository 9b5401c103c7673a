import { Readable } from 'node:stream';
import type { S3 } from '@aws-sdk/client-s3';
import { BkpError } from '../errors.ts';
import { missingKey } from './errors.ts';
import { cutShort, failureOf } from './failure.ts';
import { isMissing, totalOf } from './answer.ts';
import type { Asked, ObjectAnswer } from './get-object.ts';
import { objectAt, type Store } from './store.ts';

const RANGE_BYTES = 4 * 1024 * 1024;
/** Ranges under way at once: what is in memory at most. */
const RANGES = 4;

/** An object, or one version of it. */
interface Wanted {
  readonly key: string;
  readonly version: string | undefined;
}

/** An object that is being read. */
export interface OpenedObject {
  /** Its bytes where all of them came with the first answer, else a stream of them. */
  readonly content: Buffer | Readable;
  readonly bytes: number;
  /** What the store says of it. */
  readonly answer: ObjectAnswer;
}

interface Found {
  readonly total: number;
  readonly answer: ObjectAnswer;
}

/**
 * Opens an object as a stream of its bytes, fetched by several ranges at once. A range whose connection is cut goes on
 * where it was cut. All bytes are of one version.
 */
export async function openObject(store: Store, key: string, version?: string): Promise<Readable> {
  const { content } = await openWithAnswer(store, key, version);
  return Buffer.isBuffer(content) ? Readable.from([content], { objectMode: false }) : content;
}

/** The same with all that the store says of the object. A bucket that keeps versions is read at the first one found. */
export async function openWithAnswer(store: Store, key: string, version?: string): Promise<OpenedObject> {
  const first: Uint8Array[] = [];
  const wanted = { key, version };
  const { total, answer } = await fetchFirst(store, wanted, first);
  if (sizeOf(first) === total) return { content: Buffer.concat(first), bytes: total, answer };
  const stopping = new AbortController();
  const pinned = { key, version: version ?? answer.VersionId };
  const fetch = (start: number, end: number): Promise<readonly Uint8Array[]> =>
    fetchRange(store, pinned, { total, answer }, { start, end }, stopping.signal);
  return { content: rangedStream(total, first, stopping, fetch), bytes: total, answer };
}

async function fetchFirst(store: Store, { key, version }: Wanted, chunks: Uint8Array[]): Promise<Found> {
  return store.request({
    verb: 'read',
    object: key,
    send: async (client, options) => {
      try {
        const range = { ...objectAt(store, key, version), Range: `bytes=0-${RANGE_BYTES - 1}` };
        const answer = await store.getObject(client, range, options);
        const total = totalOf(answer.ContentRange) ?? answer.ContentLength ?? 0;
        await collect(answer, chunks, Math.min(total, RANGE_BYTES));
        return { total, answer };
      } catch (error) {
        if (isMissing(error)) throw missingKey(key, store.location);
        // There is no first byte of an empty object.
        if (failureOf(error).status === 416) return openEmpty(store, client, objectAt(store, key, version), options);
        throw error;
      }
    },
  });
}

async function openEmpty(
  store: Store,
  client: S3,
  asked: Asked,
  options: { readonly abortSignal: AbortSignal },
): Promise<Found> {
  const answer = await store.getObject(client, asked, options);
  await collect(answer, [], 0);
  if (answer.ContentLength !== 0) throw cutShort('an object that is no longer empty');
  return { total: 0, answer };
}

async function fetchRange(
  store: Store,
  { key, version }: Wanted,
  { answer: { ETag: etag }, total }: Found,
  { start, end }: { readonly start: number; readonly end: number },
  signal: AbortSignal,
): Promise<readonly Uint8Array[]> {
  const chunks: Uint8Array[] = [];
  for (let at = start; at < end;) {
    at += await store.request({
      verb: 'read',
      object: key,
      signal,
      send: async (client, options) => {
        try {
          const condition = etag === undefined ? {} : { IfMatch: etag };
          const range = {
            ...objectAt(store, key, version),
            Range: `bytes=${at}-${end - 1}`,
            ...condition,
          };
          const answer = await store.getObject(client, range, options);
          if (totalOf(answer.ContentRange) === total) return await collect(answer, chunks, end - at);
          throw unreadable(key, store, 'the store gives no ranges');
        } catch (error) {
          throw failureOf(error).status === 412 ? unreadable(key, store, 'it was replaced meanwhile', error) : error;
        }
      },
    });
  }
  return chunks;
}

const unreadable = (key: string, { location, owner }: Store, reason: string, cause?: unknown): Error =>
  owner.error(`cannot read ${JSON.stringify(key)} in ${location}: ${reason}`, { cause });

/** True where an object cannot be read to its end because another one stands there now. */
export const isReplaced = (error: unknown): boolean =>
  error instanceof BkpError && error.cause !== undefined && failureOf(error.cause).status === 412;

/** Takes what comes of a body, at most what is expected, and gives its size; a cut after at least one byte is progress. */
async function collect({ body }: ObjectAnswer, chunks: Uint8Array[], expected: number): Promise<number> {
  let bytes = 0;
  let problem: unknown;
  try {
    for await (const chunk of body) {
      const wanted = chunk.subarray(0, expected - bytes);
      chunks.push(wanted);
      bytes += wanted.byteLength;
      // To the end of the body otherwise, so that its connection can be used again.
      if (wanted.byteLength < chunk.byteLength) break;
    }
  } catch (error) {
    problem = error;
  }
  if (bytes === 0 && expected > 0) throw problem ?? cutShort('an empty body');
  return bytes;
}

const sizeOf = (chunks: readonly Uint8Array[]): number => chunks.reduce((sum, { byteLength }) => sum + byteLength, 0);

function rangedStream(
  total: number,
  first: readonly Uint8Array[],
  stopping: AbortController,
  fetch: (start: number, end: number) => Promise<readonly Uint8Array[]>,
): Readable {
  const underWay: Promise<readonly Uint8Array[]>[] = [];
  let ready = first.toReversed();
  let next = sizeOf(first);
  const start = (): void => {
    while (underWay.length < RANGES && next < total) {
      const end = Math.min(next + RANGE_BYTES, total);
      const range = fetch(next, end);
      // It is awaited in its turn; until then its failure must not end the process.
      range.catch(() => undefined);
      underWay.push(range);
      next = end;
    }
  };
  const nextChunk = async (): Promise<Uint8Array | null> => {
    start();
    for (;;) {
      const chunk = ready.pop();
      if (chunk !== undefined) return chunk;
      const range = underWay.shift();
      if (range === undefined) return null;
      ready = (await range).toReversed();
      start();
    }
  };
  return new Readable({
    highWaterMark: 1024 * 1024,
    read(): void {
      nextChunk().then(
        (chunk) => this.push(chunk),
        (error: Error) => this.destroy(error),
      );
    },
    destroy(error, done): void {
      stopping.abort();
      done(error);
    },
  });
}
