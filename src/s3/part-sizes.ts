const MIB = 1024 * 1024;

/** What every store takes: at most so many parts of one object. */
export const MOST_PARTS = 10_000;
/** The size of parts unless the object is known to be too large for it. */
export const PART_BYTES: number = 8 * MIB;
/** Parts of an object whose size is not known, from the part on that shows it to be large. */
const LATER_PART_BYTES = 64 * MIB;
const LATER = 4_000;
/** In memory at once for one object. */
const MEMORY_BYTES = 32 * MIB;

/**
 * The size of a part by its number from 1. All parts are of one size where the size of the object is known, which some
 * stores ask for; else it grows once, at 31 GiB, so that 400 GiB have room.
 */
export function partBytes(number: number, expectedBytes: number | undefined): number {
  if (expectedBytes === undefined) return number <= LATER ? PART_BYTES : LATER_PART_BYTES;
  // A little more room than expected.
  const least = Math.ceil(expectedBytes / (MOST_PARTS * 0.9) / MIB) * MIB;
  return Math.max(PART_BYTES, least);
}

/** How many parts of a size are in memory at once: one that is filled while the others are sent. */
export function partsAtOnce(bytes: number): number {
  return Math.max(2, Math.floor(MEMORY_BYTES / bytes));
}
