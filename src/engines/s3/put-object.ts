import type { Readable } from 'node:stream';
import { BkpError } from '../../errors.ts';
import { failureOf } from '../../s3/failure.ts';
import type { Outgoing } from '../../s3/outgoing.ts';
import type { PartBuffers } from '../../s3/part-buffers.ts';
import { sendBytes } from '../../s3/send-bytes.ts';
import { sendStream } from '../../s3/send-stream.ts';
import { objectAt, type Store } from '../../s3/store.ts';
import { type ObjectRecord, sendableHeaders } from './object-record.ts';

export interface PutOptions {
  /** What is there wins. */
  readonly keepsOthers: boolean;
}

/** Writes one object with everything that belongs to it. False where `keepsOthers` left another one as it is. */
export async function putObject(
  store: Store,
  buffers: PartBuffers,
  record: ObjectRecord,
  content: Buffer | Readable,
  { keepsOthers }: PutOptions,
): Promise<boolean> {
  const { key, bytes } = record;
  const outgoing: Outgoing = {
    key,
    headers: sendableHeaders(record),
    ifAbsent: keepsOthers,
    // Nothing of ours stands in the metadata of other people's objects.
    whose: (head, sent) =>
      head.ContentLength === sent.bytes && head.ETag?.endsWith(`-${sent.parts}"`) === true ? 'ours' : 'unknown',
    confirm: async () => undefined,
  };
  try {
    if (Buffer.isBuffer(content)) await sendBytes(store, outgoing, content);
    else await sendStream(store, buffers, outgoing, content, bytes);
    return true;
  } catch (error) {
    if (keepsOthers && isRefused(error)) return false;
    throw error;
  }
}

/** The store found another object there. */
const isRefused = (error: unknown): boolean => error instanceof BkpError && error.code === 'guard';

/** True where an object of that name is there. Some stores do not know `If-None-Match`: they are asked before. */
export async function isThere(store: Store, key: string): Promise<boolean> {
  return store.request({
    verb: 'look at',
    object: key,
    send: async (client, options) => {
      try {
        await client.headObject(objectAt(store, key), options);
        return true;
      } catch (error) {
        if (failureOf(error).status === 404) return false;
        throw error;
      }
    },
  });
}
