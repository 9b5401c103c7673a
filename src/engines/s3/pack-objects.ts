import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { pack } from 'tar-stream';
import type { Context } from '../../context.ts';
import type { Store } from '../../s3/store.ts';
import { createEntryNames, METADATA } from './entry-name.ts';
import { fetchObjects, type Fetched } from './fetch-objects.ts';
import { listBucket } from './list-bucket.ts';
import { headersOf, type ObjectRecord } from './object-record.ts';

export interface Packing {
  /** Where the lines of the metadata entry are collected. */
  readonly scratch: string;
  /** Told about an object that was listed and then gone. */
  readonly onGone: (name: string) => void;
}

/** What bkp says of an entry; the rest is tar's own. */
type EntryHeader = Parameters<ReturnType<typeof pack>['entry']>[0];

/** Every object of a bucket as one tar: at the root as they are named, their metadata in the last entry. */
export function packObjects(store: Store, { scratch, onGone }: Packing, context: Context): Readable {
  const archive = pack({ highWaterMark: 256 * 1024 });
  const add = async (header: EntryHeader, content: Readable): Promise<void> => {
    const entry = archive.entry(header);
    await pipeline(content, entry);
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
        const record = await packObject(fetched, nameOf(fetched.name), add);
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

async function packObject(
  { name, content, bytes, answer, tags }: Fetched,
  entry: string,
  add: (header: EntryHeader, content: Readable) => Promise<void>,
): Promise<ObjectRecord> {
  const hash = createHash('sha256');
  content.on('data', (chunk: Buffer) => hash.update(chunk));
  const modified = answer.LastModified;
  await add({ name: entry, size: bytes, mode: 0o644, ...(modified === undefined ? {} : { mtime: modified }) }, content);
  const version = answer.VersionId;
  return {
    key: name,
    entry,
    bytes,
    sha256: hash.digest('hex'),
    etag: answer.ETag ?? '',
    ...(version === undefined || version === 'null' ? {} : { version }),
    ...(modified === undefined ? {} : { modified: modified.toISOString() }),
    headers: headersOf(answer),
    metadata: answer.Metadata ?? {},
    tags,
  };
}
