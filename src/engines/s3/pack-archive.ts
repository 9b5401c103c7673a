import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { pack } from 'tar-stream';
import { METADATA } from './entry-name.ts';
import type { ObjectRecord } from './object-record.ts';

const BUFFERED = 256 * 1024;
const PIECE_BYTES = 64 * 1024;

export interface EntryHeader {
  readonly name: string;
  readonly size: number;
  readonly modified?: Date | undefined;
}

/** Adds an entry; resolves once there is room for the next one. */
export type AddEntry = (header: EntryHeader, content: Buffer | Readable) => Promise<void>;

/**
 * An archive of what `addObjects` adds. The records that it gives are the last entry: their lines are collected in a new
 * file `scratch`.
 */
export function packArchive(scratch: string, addObjects: (add: AddEntry) => AsyncIterable<ObjectRecord>): Readable {
  const archive = pack({ highWaterMark: BUFFERED });
  const add: AddEntry = async ({ name, size, modified }, content) => {
    const header = { name, size, mode: 0o644, ...(modified === undefined ? {} : { mtime: modified }) };
    if (!Buffer.isBuffer(content)) return pipeline(content, archive.entry(header));
    await new Promise<void>((resolve, reject) => {
      const entry = archive.entry(header, content, (error) => (error ? reject(error) : resolve()));
      // It tells its error twice.
      entry.on('error', reject);
    });
  };
  const work = async (): Promise<void> => {
    const lines = createWriteStream(scratch, { flags: 'wx', mode: 0o600 });
    try {
      for await (const text of inPieces(linesOf(addObjects(add)))) if (!lines.write(text)) await once(lines, 'drain');
    } finally {
      lines.end();
      await finished(lines);
    }
    await add({ name: METADATA, size: (await stat(scratch)).size }, createReadStream(scratch));
    archive.finalize();
  };
  work().catch((error: unknown) => archive.destroy(error instanceof Error ? error : new Error(String(error))));
  return Readable.from(inPieces(archive as AsyncIterable<Buffer>), { objectMode: false, highWaterMark: PIECE_BYTES });
}

async function* linesOf(records: AsyncIterable<ObjectRecord>): AsyncGenerator<Buffer, void, undefined> {
  for await (const record of records) yield Buffer.from(`${JSON.stringify(record)}\n`);
}

/** The same bytes in pieces that are worth a call of the system each. */
async function* inPieces(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  let pending: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    pending.push(chunk);
    bytes += chunk.byteLength;
    if (bytes < PIECE_BYTES) continue;
    yield pending.length === 1 ? chunk : Buffer.concat(pending);
    [pending, bytes] = [[], 0];
  }
  if (bytes > 0) yield Buffer.concat(pending);
}
