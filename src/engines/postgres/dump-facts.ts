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
