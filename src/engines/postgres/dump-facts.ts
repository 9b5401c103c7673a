import type { BlockCounts } from './archive-blocks.ts';
import type { ArchiveEntry } from './archive-toc.ts';
import { tableKey } from './table-key.ts';

/** What a dump holds, the same for every format: rows by `tableKey`, sorted, and large objects. */
export type DumpFacts = {
  readonly tables: Readonly<Record<string, number>>;
  readonly largeObjects: number;
};

/** Puts counts into the order in which facts are compared. */
export const dumpFacts = (tables: ReadonlyMap<string, number>, largeObjects: number): DumpFacts => ({
  tables: Object.fromEntries([...tables].toSorted(([a], [b]) => (a < b ? -1 : 1))),
  largeObjects,
});

/** The same from what was counted by entries of a table of contents. */
export function archiveFacts({
  entries,
  rows,
  largeObjects,
}: BlockCounts & { readonly entries: readonly ArchiveEntry[] }): DumpFacts {
  const tables = new Map<string, number>();
  for (const { dumpId, namespace, tag } of entries) {
    const count = rows.get(dumpId);
    if (count !== undefined) tables.set(tableKey(namespace ?? '', tag), count);
  }
  return dumpFacts(tables, largeObjects);
}
