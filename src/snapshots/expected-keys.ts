import type { CatalogPart } from './catalog-part.ts';
import { manifestKey, runKey, snapshotFolder, SNAPSHOTS } from './keys.ts';
import type { ExpectedKeys } from './list-backups.ts';

export const NOTHING_EXPECTED: ExpectedKeys = { manifests: [], marks: [], runs: [], folders: new Map() };

/** The keys that listings will probably show, by what is known of every backup. */
export function expectedKeys(parts: ReadonlyMap<string, CatalogPart>): ExpectedKeys {
  const keysOf = (names: (part: CatalogPart) => Iterable<string>, keyOf: (backup: string, name: string) => string) =>
    Array.from(parts, ([backup, part]) => Array.from(names(part), (name) => keyOf(backup, name)))
      .flat()
      .sort();
  return {
    manifests: keysOf(({ manifests }) => manifests.keys(), manifestKey),
    marks: keysOf(
      ({ marks }) => marks.keys(),
      (_, key) => key,
    ),
    runs: keysOf(({ runs }) => runs.keys(), runKey),
    folders: new Map(
      Array.from(parts, ([backup, { manifests }]) => [
        `${SNAPSHOTS}${backup}/`,
        Array.from(manifests.keys(), (id) => snapshotFolder(backup, id)).sort(),
      ]),
    ),
  };
}
