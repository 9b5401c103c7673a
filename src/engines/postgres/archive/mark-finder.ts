/** Finds a mark in bytes that come piece by piece. */
export interface MarkFinder {
  /** Where the mark ends in the chunk, looked for from `start`; -1 where it does not end here. */
  find(chunk: Buffer, start: number): number;
}

/** `before` is taken as if it stood before the first byte. */
export function createMarkFinder(mark: Buffer, before: Buffer = Buffer.alloc(0)): MarkFinder {
  const overlap = mark.length - 1;
  let held: Buffer = Buffer.from(before);
  return {
    find(chunk, start) {
      const seam = Buffer.concat([held, chunk.subarray(start, start + overlap)]);
      const inSeam = seam.indexOf(mark);
      if (inSeam !== -1) return start + inSeam + mark.length - held.length;
      const at = chunk.indexOf(mark, start);
      if (at !== -1) return at + mark.length;
      const bytes = chunk.length - start;
      held = bytes < overlap ? Buffer.from(seam.subarray(-overlap)) : Buffer.from(chunk.subarray(-overlap));
      return -1;
    },
  };
}
