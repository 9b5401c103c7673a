import { integrityError } from '../../errors.ts';
import { BLOCK, numberAt } from './tar-header.ts';

/** A run of stored bytes of a file with holes: where it begins in the file, and its length. */
export type Segment = readonly [offset: number, length: number];

const MOST_SEGMENTS = 4_000_000;

/** Collects a sparse map that comes in blocks of 512 bytes. */
export interface SparseMapReader {
  /** True once the map is complete. */
  take(block: Buffer): boolean;
  readonly segments: readonly Segment[];
}

/** The map of format 1.0, before the bytes: decimal numbers, a line each, the count first, padded to whole blocks. */
export function readMapInData(): SparseMapReader {
  const segments: Segment[] = [];
  let expected: number | null = null;
  let offset: number | null = null;
  let value = 0;
  let digits = 0;
  const takeNumber = (): void => {
    if (expected === null) {
      expected = value;
      if (expected > MOST_SEGMENTS) throw malformed();
    } else if (offset === null) {
      offset = value;
    } else {
      segments.push([offset, value]);
      offset = null;
    }
  };
  return {
    segments,
    take(block) {
      for (const byte of block) {
        if (expected !== null && segments.length === expected) return true;
        if (byte === 0x0a && digits > 0) {
          takeNumber();
          value = 0;
          digits = 0;
        } else if (byte >= 0x30 && byte <= 0x39 && digits < 16) {
          value = value * 10 + (byte - 0x30);
          digits++;
        } else {
          throw malformed();
        }
      }
      return expected !== null && segments.length === expected;
    },
  };
}

/** The map of the old GNU format: four runs in the header itself, then 21 in each block that follows while a byte says so. */
export function readMapInHeaders(
  header: Buffer,
): SparseMapReader & { readonly size: number; readonly isComplete: boolean } {
  const segments: Segment[] = [];
  const takeRuns = (block: Buffer, at: number, count: number): void => {
    for (let index = 0; index < count; index++) {
      const start = at + index * 24;
      if (block[start] === 0) return;
      segments.push([numberAt(block, start, 12), numberAt(block, start + 12, 12)]);
    }
    if (segments.length > MOST_SEGMENTS) throw malformed();
  };
  takeRuns(header, 386, 4);
  return {
    segments,
    size: numberAt(header, 483, 12),
    isComplete: header[482] === 0,
    take(block) {
      takeRuns(block, 0, 21);
      return block[504] === 0;
    },
  };
}

/** Throws `integrity` unless the runs are in order, inside the file and as long as what is stored. */
export function checkSegments(segments: readonly Segment[], size: number, storedBytes: number): void {
  let end = 0;
  let sum = 0;
  for (const [offset, length] of segments) {
    // After a run that is no multiple of a block, readers do not agree where the next one begins.
    if (offset < end || offset + length > size || (length > 0 && sum % BLOCK !== 0)) throw malformed();
    end = offset + length;
    sum += length;
  }
  if (sum !== storedBytes) throw malformed();
}

/** Whole blocks that `bytes` take in an archive, in bytes. */
export const paddingAfter = (bytes: number): number => (BLOCK - (bytes % BLOCK)) % BLOCK;

const malformed = (): Error =>
  integrityError('cannot read the archive: the map of a sparse file is malformed', {
    hint: 'the archive is damaged; use another copy',
  });
