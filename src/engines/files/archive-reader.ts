import { integrityError } from '../../errors.ts';
import type { RawReader } from '../engine.ts';
import { createArchiveRules } from './archive-rules.ts';
import { createTarReader, type TarHandler } from './tar-reader.ts';
import { createTreeCounter, type TreeCount } from './tree-counter.ts';

/** Takes a whole archive piece by piece. */
export interface ArchiveReader {
  push(chunk: Buffer): void;
  /** Call it once, at the end. */
  end(): TreeCount;
}

/**
 * Holds every entry against the rules and counts the tree. `others` see what passed. Throws `integrity` when the archive
 * is damaged, cut, empty or hostile.
 */
export function createArchiveReader(...others: readonly TarHandler[]): ArchiveReader {
  const rules = createArchiveRules();
  const counter = createTreeCounter();
  const handlers = [counter, ...others];
  const reader = createTarReader({
    begin(entry) {
      rules.check(entry);
      for (const handler of handlers) handler.begin(entry);
    },
    data(chunk, offset) {
      for (const handler of handlers) handler.data(chunk, offset);
    },
    end(entry) {
      for (const handler of handlers) handler.end(entry);
    },
  });
  return {
    push: (chunk) => reader.push(chunk),
    end() {
      reader.end();
      const count = counter.count();
      if (count.facts.entries === 0) throw integrityError('cannot accept the archive: it holds nothing');
      return count;
    },
  };
}

/** Sees a capture while it is stored; its facts go into the manifest. */
export function openArchiveInspector(): RawReader {
  const reader = createArchiveReader();
  return { push: (chunk) => reader.push(chunk), end: () => reader.end().facts };
}
