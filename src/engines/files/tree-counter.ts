import type { TarHandler } from './tar-reader.ts';
import { createTreeDigest, type PartDigests, wholeDigest } from './tree-digest.ts';

/** The facts of a tree, as they stand in manifests. */
export type TreeFacts = {
  readonly entries: number;
  readonly files: number;
  readonly folders: number;
  /** Symbolic and hard links. */
  readonly links: number;
  /** Sizes of all files; a file with several hard links once, holes included. */
  readonly bytes: number;
  readonly digest: string;
};

/** What was counted over a tree or a part of it. */
export interface TreeCount {
  readonly facts: TreeFacts;
  readonly parts: PartDigests;
  /** Bytes that the files take on disk, without their holes. */
  readonly dataBytes: number;
}

/** Counts the entries of an archive and sums up their digest. */
export interface TreeCounter extends TarHandler {
  /** Call it once, at the end. */
  count(): TreeCount;
}

export function createTreeCounter(): TreeCounter {
  const digest = createTreeDigest();
  const facts = { entries: 0, files: 0, folders: 0, links: 0, bytes: 0 };
  let dataBytes = 0;
  return {
    begin() {},
    data(chunk, offset) {
      dataBytes += chunk.length;
      digest.data(chunk, offset);
    },
    end(entry) {
      facts.entries++;
      if (entry.type === 'file') facts.files++;
      else if (entry.type === 'folder') facts.folders++;
      else if (entry.type === 'link' || entry.type === 'symlink') facts.links++;
      facts.bytes += entry.size;
      digest.end(entry);
    },
    count() {
      const parts = digest.parts();
      return { facts: { ...facts, digest: wholeDigest(parts) }, parts, dataBytes };
    },
  };
}
