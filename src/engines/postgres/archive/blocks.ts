import { cutArchive, damagedArchive } from './errors.ts';
import { type ArchiveEntry, nameOfEntry } from './toc.ts';
import { decodeInt, INT_BYTES } from './values.ts';
import { createCopyEnd, NEWLINES_AT_END } from '../server/copy-end.ts';
import { countNewlines } from './count-newlines.ts';

/** Takes all that follows the table of contents. */
export interface BlockReader {
  /** `position` is where in the archive the chunk begins. Returns how many bytes were taken: all, until all blocks came. */
  push(chunk: Buffer, position: number): number;
  /** Where the blocks began, by the ids of their entries. */
  readonly positions: ReadonlyMap<number, number>;
  end(): BlockCounts;
}

export interface BlockCounts {
  /** Rows by the id of a `TABLE DATA` entry; entries whose data are no rows for COPY are not in it. */
  readonly rows: ReadonlyMap<number, number>;
  readonly largeObjects: number;
}

type Step = 'block' | 'object' | 'length' | 'bytes';

/** How blocks begin, and what they are of. */
const KINDS: Readonly<Record<number, string>> = { 1: 'TABLE DATA', 3: 'BLOBS' };
const BYTES_BEFORE: Readonly<Record<Exclude<Step, 'bytes'>, number>> = {
  block: 1 + INT_BYTES,
  object: INT_BYTES,
  length: INT_BYTES,
};

/**
 * Reads data blocks: each of an entry, each made of pieces with their length before them, ended by a zero. The format has
 * no end mark; whole means that every entry with data had its block.
 */
export function createBlockReader(entries: readonly ArchiveEntry[]): BlockReader {
  const missing = new Map(entries.filter((entry) => entry.hadDumper).map((entry) => [entry.dumpId, entry]));
  const positions = new Map<number, number>();
  const rows = new Map<number, number>();
  const copyEnd = createCopyEnd();
  const held = Buffer.allocUnsafe(1 + INT_BYTES);
  let heldBytes = 0;
  let step: Step = 'block';
  let entry: ArchiveEntry | null = null;
  let isCounting = false;
  let newlines = 0;
  let left = 0;
  let largeObjects = 0;

  const beginBlock = (bytes: Buffer, at: number, position: number): void => {
    const kind = KINDS[bytes[at] as number];
    const dumpId = decodeInt(bytes, at + 1);
    const found = missing.get(dumpId);
    if (kind === undefined || found === undefined || found.desc !== kind)
      throw damagedArchive(`what stands at byte ${position} is no data of its table of contents`);
    if (found.position !== null && found.position !== position)
      throw damagedArchive(`the data of ${nameOfEntry(found)} stand at byte ${position}, not at ${found.position}`);
    missing.delete(dumpId);
    positions.set(dumpId, position);
    entry = found;
    isCounting = kind === 'TABLE DATA' && found.isCopy;
    newlines = 0;
    copyEnd.begin();
    step = kind === 'BLOBS' ? 'object' : 'length';
  };

  const beginObject = (oid: number): void => {
    if (oid === 0) step = 'block';
    else {
      largeObjects++;
      step = 'length';
    }
  };

  const endPieces = (chunk: Buffer): void => {
    step = entry?.desc === 'BLOBS' ? 'object' : 'block';
    if (!isCounting || entry === null) return;
    if (!copyEnd.isThere(chunk)) throw damagedArchive(`the data of ${nameOfEntry(entry)} have no end mark`);
    rows.set(entry.dumpId, newlines - NEWLINES_AT_END);
  };

  const takeHead = (chunk: Buffer, bytes: Buffer, at: number, position: number): void => {
    if (step === 'block') beginBlock(bytes, at, position);
    else if (step === 'object') beginObject(decodeInt(bytes, at));
    else beginPiece(decodeInt(bytes, at), chunk);
  };

  const beginPiece = (bytes: number, chunk: Buffer): void => {
    if (bytes < 0 || bytes > 0x7fffffff) throw damagedPiece(entry);
    left = bytes;
    if (bytes > 0) step = 'bytes';
    else endPieces(chunk);
  };

  const takeBytes = (chunk: Buffer, at: number): number => {
    const end = Math.min(at + left, chunk.length);
    if (isCounting) {
      newlines += countNewlines(chunk, at, end);
      copyEnd.take(chunk, at, end);
    }
    left -= end - at;
    if (left === 0) step = 'length';
    return end;
  };

  /**
   * Skips from length to length while whole pieces lie in the chunk: older pg_dump write each row as a piece of its own.
   * Newlines are counted once over all of them, and those in the lengths taken off.
   */
  const takePieces = (chunk: Buffer, start: number): number => {
    let at = start;
    let inLengths = 0;
    while (at + INT_BYTES < chunk.length) {
      const bytes = chunk.readInt32LE(at + 1);
      if (chunk[at] !== 0 || bytes < 0) throw damagedPiece(entry);
      const end = at + INT_BYTES + bytes;
      if (bytes === 0 || end > chunk.length) break;
      inLengths += newlinesIn(bytes);
      if (isCounting) copyEnd.take(chunk, at + INT_BYTES, end);
      at = end;
    }
    if (isCounting && at > start) newlines += countNewlines(chunk, start, at) - inLengths;
    return at;
  };

  return {
    positions,
    push(chunk, position) {
      let at = 0;
      while (at < chunk.length && (step !== 'block' || missing.size > 0)) {
        if (step === 'bytes') {
          at = takeBytes(chunk, at);
          continue;
        }
        if (step === 'length' && heldBytes === 0) at = takePieces(chunk, at);
        const needed = BYTES_BEFORE[step];
        if (heldBytes === 0 && at + needed <= chunk.length) {
          takeHead(chunk, chunk, at, position + at);
          at += needed;
          continue;
        }
        const taken = chunk.copy(held, heldBytes, at, at + needed - heldBytes);
        heldBytes += taken;
        at += taken;
        if (heldBytes < needed) break;
        heldBytes = 0;
        takeHead(chunk, held, 0, position + at - needed);
      }
      copyEnd.leave(chunk);
      return at;
    },
    end() {
      if (step !== 'block') throw cutArchive(`in the data of ${entry === null ? 'an entry' : nameOfEntry(entry)}`);
      if (heldBytes > 0) throw cutArchive('where data of the next entry begin');
      const [first] = missing.values();
      if (first !== undefined) throw cutArchive(`before the data of ${nameOfEntry(first)}`);
      return { rows, largeObjects };
    },
  };
}

const damagedPiece = (entry: ArchiveEntry | null): Error =>
  damagedArchive(`the data of ${entry === null ? 'an entry' : nameOfEntry(entry)} have a piece without a length`);

const newlinesIn = (word: number): number =>
  Number((word & 0xff) === 10) +
  Number(((word >>> 8) & 0xff) === 10) +
  Number(((word >>> 16) & 0xff) === 10) +
  Number(word >>> 24 === 10);
