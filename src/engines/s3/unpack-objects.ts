import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { extract } from 'tar-stream';
import { integrityError } from '../../errors.ts';
import { readLines } from '../../read-lines.ts';
import { METADATA } from './entry-name.ts';
import { type ObjectRecord, readRecord } from './object-record.ts';

/** Objects that are on their way at once, each of at most so many bytes; larger ones go alone, as a stream. */
const AT_ONCE = 16;
const SMALL_BYTES = 1024 * 1024;

/** Gives every object of an archive with its record, several at once; `metadata` is the file with its metadata entry. */
export async function unpackObjects(
  raw: Readable,
  metadata: string,
  put: (record: ObjectRecord, content: Buffer | Readable) => Promise<void>,
): Promise<void> {
  const underWay = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  const unpacking = extract();
  const feeding = pipeline(raw, unpacking);
  feeding.catch(() => undefined);
  const records = readRecords(metadata);
  try {
    for await (const entry of unpacking) {
      if (entry.header.name === METADATA) {
        entry.resume();
        continue;
      }
      const { value: record } = await records.next();
      if (record === undefined || record.entry !== entry.header.name)
        throw integrityError('cannot read the archive of objects: it is not the one that was checked');
      if (record.isCut === true) {
        entry.resume();
        continue;
      }
      if (record.bytes > SMALL_BYTES) {
        await put(record, Readable.from(entry, { objectMode: false }));
      } else {
        const sending: Promise<void> = put(record, await buffer(entry))
          .catch((error: unknown) => {
            failure ??= { error };
          })
          .finally(() => underWay.delete(sending));
        underWay.add(sending);
        if (underWay.size >= AT_ONCE) await Promise.race(underWay);
      }
      if (failure !== undefined) throw failure.error;
    }
    await Promise.all(underWay);
    if (failure !== undefined) throw failure.error;
    await feeding;
  } finally {
    await Promise.all(underWay);
    await records.return(undefined);
    raw.destroy();
    unpacking.destroy();
  }
}

/** The lines of a metadata entry. */
export async function* readRecords(metadata: string): AsyncGenerator<ObjectRecord, undefined> {
  for await (const line of readLines(metadata)) yield readRecord(line);
  return undefined;
}
