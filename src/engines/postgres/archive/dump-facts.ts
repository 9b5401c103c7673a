import type { BlockCounts } from './blocks.ts';
import type { ArchiveEntry } from './toc.ts';
import { parseSequenceValue, type SequenceValues } from './sequence-value.ts';
import { tableKey } from '../server/table-key.ts';

/** What a dump holds, the same for every format: rows by `tableKey`, sorted, and large objects. */
export type DumpFacts = {
  readonly tables: Readonly<Record<string, number>>;
  readonly largeObjects: number;
  /** They stand outside of transactions: only the dump itself tells what it holds. */
  readonly sequences: SequenceValues;
};

/** Puts counts into the order in which facts are compared. */
export const dumpFacts = (
  tables: ReadonlyMap<string, number>,
  largeObjects: number,
  sequences: ReadonlyMap<string, string | null>,
): DumpFacts => ({ tables: sorted(tables), largeObjects, sequences: sorted(sequences) });

const sorted = <T>(values: ReadonlyMap<string, T>): Readonly<Record<string, T>> =>
  Object.fromEntries([...values].toSorted(([a], [b]) => (a < b ? -1 : 1)));

/** The same from what was counted by entries of a table of contents. */
export function archiveFacts({
  entries,
  rows,
  largeObjects,
}: BlockCounts & { readonly entries: readonly ArchiveEntry[] }): DumpFacts {
  const tables = new Map<string, number>();
  const sequences = new Map<string, string | null>();
  for (const { dumpId, namespace, tag, setsSequence } of entries) {
    const value = parseSequenceValue(setsSequence ?? '');
    if (value !== null) sequences.set(...value);
    const count = rows.get(dumpId);
    if (count !== undefined) tables.set(tableKey(namespace ?? '', tag), count);
  }
  return dumpFacts(tables, largeObjects, sequences);
}
