import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline as pipelineOf, Readable, Transform } from 'node:stream';
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
      let text = '';
      for await (const record of addObjects(add)) {
        text += `${JSON.stringify(record)}\n`;
        if (text.length < PIECE_BYTES) continue;
        if (!lines.write(text)) await once(lines, 'drain');
        text = '';
      }
      lines.write(text);
    } finally {
      lines.end();
      await finished(lines);
    }
    await add({ name: METADATA, size: (await stat(scratch)).size }, createReadStream(scratch));
    archive.finalize();
  };
  work().catch((error: unknown) => archive.destroy(error instanceof Error ? error : new Error(String(error))));
  const chunks = Readable.from(archive, { objectMode: false, highWaterMark: BUFFERED });
  // The end and any failure of either is that of both: whoever reads the pieces sees it there.
  return pipelineOf(chunks, createPieces(), () => undefined);
}

/** Gives the same bytes in pieces that are worth a call of the system each. */
function createPieces(): Transform {
  let pending: Buffer[] = [];
  let bytes = 0;
  const takePiece = (): Buffer => {
    const piece = Buffer.concat(pending);
    [pending, bytes] = [[], 0];
    return piece;
  };
  return new Transform({
    highWaterMark: PIECE_BYTES,
    transform(chunk: Buffer, _, done) {
      pending.push(chunk);
      bytes += chunk.byteLength;
      if (bytes < PIECE_BYTES) done();
      else done(null, takePiece());
    },
    flush(done) {
      done(null, takePiece());
    },
  });
}
