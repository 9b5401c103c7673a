import type { Facts, RawReader } from '../../engine.ts';
import type { DumpEnd, DumpVisitor } from './read-dump.ts';
import { openDumpReader } from './read-dump.ts';

/** Counts what passes: keys and those that expire by database, types, modules' own types, libraries of functions. */
export interface DumpCount extends DumpVisitor {
  facts(end: Pick<DumpEnd, 'hasChecksum'>): Facts;
}

/** Starts to count the contents of a dump. */
export function openDumpCount(): DumpCount {
  const keys = new Map<string, number>();
  const expiring = new Map<string, number>();
  const types = new Map<string, number>();
  let libraries = 0;
  let type = '';
  return {
    entry(entry) {
      const database = String(entry.database);
      add(keys, database);
      if (entry.expireAt !== null) add(expiring, database);
      ({ type } = entry);
    },
    entryEnd: (_bytes, moduleType) => add(types, moduleType ?? type),
    library() {
      libraries += 1;
    },
    facts: ({ hasChecksum }) => ({
      keys: record(keys),
      expiring: record(expiring),
      types: record(types),
      libraries,
      ...(hasChecksum ? {} : { checksum: 'none' }),
    }),
  };
}

const add = (counts: Map<string, number>, name: string): void => void counts.set(name, (counts.get(name) ?? 0) + 1);

const record = (counts: ReadonlyMap<string, number>): Readonly<Record<string, number>> =>
  Object.fromEntries([...counts].toSorted(([a], [b]) => (a < b ? -1 : 1)));

/** Checks a dump to its end while it passes, checksum included, and counts it. */
export function openDumpInspector(): RawReader {
  const count = openDumpCount();
  const reader = openDumpReader(count);
  return { push: (chunk) => reader.push(chunk), end: () => count.facts(reader.end()) };
}
