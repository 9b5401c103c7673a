import { createReadStream, createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { finished } from 'node:stream/promises';
import { openByteWriter } from '../wire/byte-writer.ts';

/** The keys that a restore brought, on disk, so that it can take them away again. */
export interface KeyJournal {
  add(database: number, key: Buffer): void;
  /** Every key that was added. */
  keys(): AsyncGenerator<{ readonly database: number; readonly key: Buffer }>;
  remove(): Promise<void>;
}

const HEAD_BYTES = 8;
const BATCH_BYTES = 64 * 1024;

/** Starts a journal in a new private file. */
export function openKeyJournal(path: string): KeyJournal {
  const file = createWriteStream(path, { flags: 'wx', mode: 0o600 });
  file.on('error', () => undefined);
  const writer = openByteWriter();
  return {
    add(database, key) {
      const head = Buffer.alloc(HEAD_BYTES);
      head.writeUInt32LE(database, 0);
      head.writeUInt32LE(key.length, 4);
      writer.bytes(head);
      writer.bytes(key);
      if (writer.length() < BATCH_BYTES) return;
      file.write(Buffer.from(writer.gathered()));
      writer.clear();
    },
    async *keys() {
      file.end(writer.gathered());
      await finished(file);
      let rest = Buffer.alloc(0);
      for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
        rest = Buffer.concat([rest, chunk]);
        let at = 0;
        while (rest.length - at >= HEAD_BYTES) {
          const end = at + HEAD_BYTES + rest.readUInt32LE(at + 4);
          if (end > rest.length) break;
          yield { database: rest.readUInt32LE(at), key: rest.subarray(at + HEAD_BYTES, end) };
          at = end;
        }
        rest = rest.subarray(at);
      }
    },
    async remove() {
      file.destroy();
      await rm(path, { force: true });
    },
  };
}
