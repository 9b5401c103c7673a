import { createHash, type Hash } from 'node:crypto';
import { integrityError } from '../../errors.ts';
import type { RawReader } from '../engine.ts';
import { fromText, toText } from '../files/byte-name.ts';
import { createTarReader } from '../files/tar-reader.ts';
import { METADATA } from './entry-name.ts';
import { readRecord } from './object-record.ts';

/**
 * Reads an archive of objects: every entry must stand in the metadata, which comes last, with its size and hash and in
 * the same order. Tells what is in it: `{ objects, bytes }`. `onMetadata` gets the bytes of the metadata entry.
 */
export function readArchive(onMetadata: (chunk: Buffer) => void = () => undefined): RawReader {
  const [entries, records] = [createHash('sha256'), createHash('sha256')];
  const lines = splitLines((line) => {
    const { entry, bytes, sha256, isCut } = readRecord(line);
    records.update(`${bytes} ${sha256} ${fromText(entry)}\n`);
    described++;
    if (isCut !== true) return;
    cut++;
    total -= bytes;
  });
  let [objects, described, cut, total] = [0, 0, 0, 0];
  let hash: Hash | null = null;
  let isMetadata = false;
  const reader = createTarReader({
    begin({ type, name }) {
      if (isMetadata) throw damaged('its metadata is not the last entry');
      if (type !== 'file') throw damaged('an entry is no file');
      isMetadata = toText(name) === METADATA;
      hash = isMetadata ? null : createHash('sha256');
    },
    data(chunk) {
      if (hash !== null) hash.update(chunk);
      else {
        lines.push(chunk);
        onMetadata(chunk);
      }
    },
    end({ name, size }) {
      if (hash === null) return;
      entries.update(`${size} ${hash.digest('hex')} ${name}\n`);
      objects++;
      total += size;
    },
  });
  return {
    push: (chunk) => reader.push(chunk),
    end() {
      reader.end();
      lines.end();
      if (!isMetadata) throw damaged('its metadata is missing');
      if (described !== objects || !entries.digest().equals(records.digest()))
        throw damaged('its metadata tells of other objects than those in it');
      return { objects: objects - cut, bytes: total };
    },
  };
}

/** Gives the lines of what passes; the last one must have its line end. */
export function splitLines(take: (line: string) => void): { push(chunk: Buffer): void; end(): void } {
  let rest = Buffer.alloc(0);
  return {
    push(chunk) {
      let from = 0;
      for (let to = chunk.indexOf(10); to !== -1; to = chunk.indexOf(10, from)) {
        take(Buffer.concat([rest, chunk.subarray(from, to)]).toString());
        rest = Buffer.alloc(0);
        from = to + 1;
      }
      rest = Buffer.concat([rest, chunk.subarray(from)]);
    },
    end() {
      if (rest.length > 0) throw damaged('its metadata is cut');
    },
  };
}

const damaged = (reason: string): Error =>
  integrityError(`cannot read the archive of objects: ${reason}`, { hint: 'it is damaged; use another copy' });
