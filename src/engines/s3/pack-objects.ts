import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { pack } from 'tar-stream';
import type { Context } from '../../context.ts';
import type { Store } from '../../s3/store.ts';
import { isReplaced } from '../../s3/download.ts';
import { createEntryNames, METADATA } from './entry-name.ts';
import { fetchObject, fetchObjects, type Fetched } from './fetch-objects.ts';
import { listBucket } from './list-bucket.ts';
import { headersOf, type ObjectRecord } from './object-record.ts';

export interface Packing {
  /** Where the lines of the metadata entry are collected. */
  readonly scratch: string;
  /** Told about an object that was listed and then gone. */
  readonly onGone: (name: string) => void;
}

/** How often an object is read that another one replaces each time. */
const TRIES = 3;
const ZEROS = Buffer.alloc(64 * 1024);

/** What bkp says of an entry; the rest is tar's own. */
type EntryHeader = Parameters<ReturnType<typeof pack>['entry']>[0];

/** Every object of a bucket as one tar: at the root as they are named, their metadata in the last entry. */
export function packObjects(store: Store, { scratch, onGone }: Packing, context: Context): Readable {
  const archive = pack({ highWaterMark: 256 * 1024 });
  const add: AddEntry = async (header, content) => {
    if (!Buffer.isBuffer(content)) return pipeline(content, archive.entry(header));
    await new Promise<void>((resolve, reject) => {
      const entry = archive.entry(header, content, (error) => (error ? reject(error) : resolve()));
      // It tells its error twice.
      entry.on('error', reject);
    });
  };
  const work = async (): Promise<void> => {
    const nameOf = createEntryNames();
    const lines = createWriteStream(scratch, { flags: 'wx', mode: 0o600 });
    try {
      for await (const fetched of fetchObjects(store, listBucket(store, context.signal))) {
        if (fetched.content === null) {
          onGone(fetched.name);
          continue;
        }
        for await (const record of packObject(store, fetched, nameOf(fetched.name), add))
          if (!lines.write(`${JSON.stringify(record)}\n`)) await once(lines, 'drain');
      }
    } finally {
      lines.end();
      await finished(lines);
    }
    await add({ name: METADATA, size: (await stat(scratch)).size, mode: 0o600 }, createReadStream(scratch));
    archive.finalize();
  };
  work().catch((error: unknown) => archive.destroy(error instanceof Error ? error : new Error(String(error))));
  return Readable.from(archive, { objectMode: false, highWaterMark: 256 * 1024 });
}

/** Adds an entry; resolves once there is room for the next one. */
type AddEntry = (header: EntryHeader, content: Buffer | Readable) => Promise<void>;

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
  const modified = answer.LastModified;
  const header = { name: entry, size: bytes, mode: 0o644, ...(modified === undefined ? {} : { mtime: modified }) };
  if (Buffer.isBuffer(content)) hash.update(content);
  await add(header, Buffer.isBuffer(content) ? content : Readable.from(filled(content), { objectMode: false }));
  const version = answer.VersionId;
  const record: ObjectRecord = {
    key: name,
    entry,
    bytes,
    sha256: hash.digest('hex'),
    ...(problem === undefined ? {} : { isCut: true }),
    etag: answer.ETag ?? '',
    ...(version === undefined || version === 'null' ? {} : { version }),
    ...(modified === undefined ? {} : { modified: modified.toISOString() }),
    headers: headersOf(answer),
    metadata: answer.Metadata ?? {},
    tags,
  };
  return { record, problem };
}
