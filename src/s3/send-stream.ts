import type { Readable } from 'node:stream';
import type { CompletedPart, S3 } from '@aws-sdk/client-s3';
import { integrityError } from '../errors.ts';
import { failureOf } from './failure.ts';
import type { Outgoing, Sent } from './outgoing.ts';
import type { PartBuffers } from './part-buffers.ts';
import { MOST_PARTS, partBytes, partsAtOnce } from './part-sizes.ts';
import { readParts } from './read-parts.ts';
import { removeObject } from './remove-object.ts';
import { sendBytes } from './send-bytes.ts';
import { objectAt, type Store } from './store.ts';

/** An object on its way: its parts are invisible until they are put together. */
interface Upload {
  readonly key: string;
  readonly id: string;
  readonly outgoing: Outgoing;
}

/**
 * Stores a stream: a short one by one request, a longer one in parts, several at once, each checked by the store against
 * its signed hash. The object appears whole or not at all; when the source fails its error is thrown and nothing stays.
 */
export async function sendStream(
  store: Store,
  buffers: PartBuffers,
  outgoing: Outgoing,
  content: Readable,
  expectedBytes?: number,
): Promise<{ readonly bytes: number }> {
  // A source that fails before it is read must not end the process.
  content.on('error', () => undefined);
  const parts = readParts(content, (number) => partBytes(number, expectedBytes), buffers);
  try {
    const first = await parts.next();
    if (first === undefined || first.isLast) {
      const bytes = first?.content ?? new Uint8Array();
      return await sendBytes(store, outgoing, bytes).finally(() => first?.release());
    }
    const upload = await createUpload(store, outgoing).catch((error: unknown) => {
      first.release();
      throw error;
    });
    return await sendParts(store, upload, parts, first);
  } finally {
    content.destroy();
  }
}

async function createUpload(store: Store, outgoing: Outgoing): Promise<Upload> {
  const { key, headers } = outgoing;
  const answer = await store.request({
    verb: 'write',
    object: key,
    send: (client, options) =>
      client.createMultipartUpload(
        { ...headers, ...objectAt(store, key), ...(store.checksums ? { ChecksumAlgorithm: 'CRC32' } : {}) },
        options,
      ),
  });
  return { key, id: answer.UploadId ?? '', outgoing };
}

type Parts = ReturnType<typeof readParts>;
type Part = NonNullable<Awaited<ReturnType<Parts['next']>>>;

async function sendParts(store: Store, upload: Upload, parts: Parts, first: Part): Promise<{ readonly bytes: number }> {
  const stopping = new AbortController();
  const sent: Promise<CompletedPart>[] = [];
  const underWay = new Set<Promise<CompletedPart>>();
  let failure: { readonly error: unknown } | undefined;
  let bytes = 0;
  try {
    for (let part: Part | undefined = first; part !== undefined; part = await parts.next()) {
      if (sent.length === MOST_PARTS) {
        part.release();
        throw tooManyParts(store, upload.key);
      }
      bytes += part.content.byteLength;
      const { release } = part;
      const sending = sendPart(store, upload, sent.length + 1, part.content, stopping.signal);
      const settled = sending
        .catch((error: unknown) => {
          failure ??= { error };
          parts.stop();
        })
        .then(() => {
          underWay.delete(sending);
          release();
        });
      settled.catch(() => undefined);
      sent.push(sending);
      underWay.add(sending);
      if (underWay.size >= partsAtOnce(part.content.byteLength)) await Promise.race(underWay).catch(() => undefined);
      if (failure !== undefined) break;
    }
    if (failure !== undefined) throw failure.error;
    await complete(store, upload, await Promise.all(sent), bytes);
    return { bytes };
  } catch (error) {
    stopping.abort();
    await Promise.allSettled(sent);
    await abortUpload(store, upload);
    throw failure === undefined ? error : failure.error;
  }
}

const tooManyParts = ({ location, owner }: Store, key: string): Error =>
  owner.error(`cannot write ${JSON.stringify(key)} in ${location}: it has more than ${MOST_PARTS} parts`, {
    hint: 'split the target: no store takes more',
  });

async function sendPart(
  store: Store,
  upload: Upload,
  number: number,
  content: Uint8Array,
  signal: AbortSignal,
): Promise<CompletedPart> {
  const { ETag, ChecksumCRC32 } = await store.request({
    verb: 'write',
    object: upload.key,
    signal,
    send: (client, options) =>
      client.uploadPart({ ...placeOf(store, upload), PartNumber: number, Body: content }, options),
  });
  if (ETag === undefined) throw store.owner.error(`cannot write to ${store.location}: a part has no ETag`);
  return { PartNumber: number, ETag, ...(ChecksumCRC32 === undefined ? {} : { ChecksumCRC32 }) };
}

/** Puts the parts together and looks at what became of them. */
async function complete(store: Store, upload: Upload, parts: CompletedPart[], bytes: number): Promise<void> {
  const { key, outgoing } = upload;
  const sent = { bytes, parts: parts.length };
  await store.request({
    verb: 'write',
    object: key,
    isLong: true,
    send: async (client, options, earlier) => {
      // The answer to an earlier try may have been lost while the store went on.
      if (earlier > 0 && (await isComplete(client, store, upload, sent))) return;
      try {
        await client.completeMultipartUpload(
          {
            ...placeOf(store, upload),
            MultipartUpload: { Parts: parts },
            ...(outgoing.ifAbsent === true ? { IfNoneMatch: '*' } : {}),
          },
          options,
        );
      } catch (error) {
        // Then there is no upload any more, but the object is there.
        if (earlier === 0 || failureOf(error).code !== 'NoSuchUpload') throw error;
      }
    },
  });
  const head = await store.request({
    verb: 'look at',
    object: key,
    send: (client, options) => client.headObject(objectAt(store, key), options),
  });
  // Somebody may have replaced it since; then it is not ours to judge.
  if (outgoing.whose(head, sent) === 'another') return;
  await outgoing.confirm(head.ServerSideEncryption);
  if (head.ContentLength === bytes) return;
  await removeObject(store, key);
  throw integrityError(
    `cannot write ${JSON.stringify(key)} in ${store.location}: ${head.ContentLength ?? 0} of ${bytes} bytes are there`,
  );
}

const isComplete = async (client: S3, store: Store, { key, outgoing }: Upload, sent: Sent): Promise<boolean> =>
  client.headObject(objectAt(store, key)).then(
    (head) => outgoing.whose(head, sent) === 'ours',
    () => false,
  );

/** Parts that stay cost money until `sweep` finds them; the first error is the one to tell. */
async function abortUpload(store: Store, upload: Upload): Promise<void> {
  await store
    .request({
      verb: 'clean',
      object: upload.key,
      send: (client, options) => client.abortMultipartUpload(placeOf(store, upload), options),
    })
    .catch(() => undefined);
}

const placeOf = (
  store: Store,
  { key, id }: Upload,
): { readonly Bucket: string; readonly Key: string; readonly UploadId: string } => ({
  ...objectAt(store, key),
  UploadId: id,
});
