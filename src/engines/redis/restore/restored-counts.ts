import type { Facts } from '../../engine.ts';

/** What came back, for the report: `{ "keys in database 0": 12, libraries: 1 }`. */
export function restoredCounts(keys: Facts[string] | undefined, libraries: Facts[string] | undefined): Facts {
  const counts = typeof keys === 'object' && keys !== null ? Object.entries(keys) : [];
  return {
    ...Object.fromEntries(counts.map(([database, count]) => [`keys in database ${database}`, count] as const)),
    ...(libraries === undefined || libraries === 0 ? {} : { libraries }),
  };
}
