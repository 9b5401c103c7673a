import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Context } from '../../context.ts';
import { isReplaced } from '../../s3/download.ts';
import type { Store } from '../../s3/store.ts';
import { createEntryNames } from './entry-name.ts';
import { fetchObject, fetchObjects, type Fetched } from './fetch-objects.ts';
import { listBucket } from './list-bucket.ts';
import { type ObjectRecord, recordOf } from './object-record.ts';
import { type AddEntry, packArchive } from './pack-archive.ts';

export interface Packing {
  /** Where the lines of the metadata entry are collected. */
  readonly scratch: string;
  /** Told about an object that was listed and then gone. */
  readonly onGone: (name: string) => void;
}

/** How often an object is read that another one replaces each time. */
const TRIES = 3;
const ZEROS = Buffer.alloc(64 * 1024);

/** Every object of a bucket as one tar: at the root as they are named, their metadata in the last entry. */
export const packObjects = (store: Store, { scratch, onGone }: Packing, { signal }: Context): Readable =>
  packArchive(scratch, async function* (add) {
    const nameOf = createEntryNames();
    for await (const fetched of fetchObjects(store, listBucket(store, signal))) {
      if (fetched.content === null) onGone(fetched.name);
      else yield* packObject(store, fetched, nameOf(fetched.name), add);
    }
  });

/** Packs an object, again where another one replaces it meanwhile: the last entry of a name is the whole one. */
async function* packObject(store: Store, first: Fetched, entry: string, add: AddEntry): AsyncGenerator<ObjectRecord> {
  let fetched = first;
  for (let tries = 1; ; tries++) {
    const { record, problem } = await packOnce(fetched, entry, add);
    yield record;
    if (problem === undefined) return;
    const again = tries < TRIES ? await fetchObject(store, first.name) : undefined;
    if (again === undefined) throw problem;
    fetched = again;
  }
}

async function packOnce(
  { name, content, bytes, answer, tags }: Fetched,
  entry: string,
  add: AddEntry,
): Promise<{ readonly record: ObjectRecord; readonly problem: unknown }> {
  const hash = createHash('sha256');
  let problem: unknown;
  const filled = async function* (stream: Readable): AsyncGenerator<Buffer> {
    let missing = bytes;
    const take = (chunk: Buffer): Buffer => {
      missing -= chunk.byteLength;
      hash.update(chunk);
      return chunk;
    };
    try {
      for await (const chunk of stream) yield take(chunk as Buffer);
    } catch (error) {
      if (!isReplaced(error)) throw error;
      problem = error;
      // The length of the entry was told before its bytes.
      while (missing > 0) yield take(ZEROS.subarray(0, missing));
    }
  };
  const header = { name: entry, size: bytes, modified: answer.LastModified };
  if (Buffer.isBuffer(content)) hash.update(content);
  await add(header, Buffer.isBuffer(content) ? content : Readable.from(filled(content), { objectMode: false }));
  const record = recordOf({ key: name, entry, bytes, sha256: hash.digest('hex') }, answer, tags);
  return { record: problem === undefined ? record : { ...record, isCut: true }, problem };
}
