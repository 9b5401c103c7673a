import type { Readable } from 'node:stream';
import { integrityError } from '../../errors.ts';
import { createArchiveRules } from './archive-rules.ts';
import { createTarReader, type TarHandler } from './tar-reader.ts';
import { createTreeCounter, type TreeCount } from './tree-counter.ts';

/**
 * Reads a whole archive, holds every entry against the rules and counts the tree. `others` see what passed. Throws
 * `integrity` when the archive is damaged, cut, empty or hostile.
 */
export async function readArchive(raw: Readable, ...others: readonly TarHandler[]): Promise<TreeCount> {
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
  for await (const chunk of raw) reader.push(chunk as Buffer);
  reader.end();
  const count = counter.count();
  if (count.facts.entries === 0) throw integrityError('cannot accept the archive: it holds nothing');
  return count;
}
