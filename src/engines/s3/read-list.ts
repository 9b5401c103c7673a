import { integrityError } from '../../errors.ts';
import type { RawReader } from '../engine.ts';
import { type ObjectRecord, readRecord } from './object-record.ts';
import { splitLines } from './read-archive.ts';

/**
 * Reads the list of a mirror: a line for each object, then one that counts them, which tells that nothing was cut off.
 * Tells what it lists: `{ objects, bytes }`.
 */
export function readList(): RawReader {
  let [objects, bytes] = [0, 0];
  let isEnded = false;
  const lines = splitLines((line) => {
    if (isEnded) throw damaged('it goes on behind its end');
    const record = readListed(line);
    if (record !== null) {
      objects++;
      bytes += record.bytes;
      return;
    }
    if (line !== JSON.stringify({ objects, bytes })) throw damaged('its last line tells of others than those before');
    isEnded = true;
  });
  return {
    push: (chunk) => lines.push(chunk),
    end() {
      lines.end();
      if (!isEnded) throw damaged('its end is missing');
      return { objects, bytes };
    },
  };
}

/** One line of a list; null for the one that counts them. */
export const readListed = (line: string): ObjectRecord | null =>
  line.startsWith('{"objects":') ? null : readRecord(line);

const damaged = (reason: string): Error =>
  integrityError(`cannot read the list of objects: ${reason}`, { hint: 'it is damaged; use another copy' });
