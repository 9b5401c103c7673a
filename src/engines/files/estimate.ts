import type { BigIntStats } from 'node:fs';

const HEADERS = 1536;
const BLOCK = 512;
const END_MARK = 10_240;

/** Adds up how many bytes an archive will have. */
export interface ArchiveEstimate {
  add(stats: BigIntStats): void;
  readonly entries: number;
  bytes(): number;
}

export function createArchiveEstimate(): ArchiveEstimate {
  let entries = 0;
  let bytes = 0;
  return {
    add(stats) {
      entries++;
      bytes += HEADERS;
      if (!stats.isFile()) return;
      // Holes are not archived.
      const held = Math.min(Number(stats.size), Number(stats.blocks) * BLOCK);
      bytes += Math.ceil(held / BLOCK) * BLOCK;
    },
    get entries() {
      return entries;
    },
    bytes: () => bytes + END_MARK,
  };
}
