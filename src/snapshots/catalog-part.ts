import type { MarkRecord } from './inventory.ts';
import { packManifests, unpackManifests, type CachedManifest, type PackedManifests } from './pack-manifests.ts';
import type { CachedRecord } from './read-records.ts';
import type { RunRecord } from './run-record.ts';

/** What is known of one backup in one repository. */
export interface CatalogPart {
  /** By snapshot id. */
  readonly manifests: ReadonlyMap<string, CachedManifest>;
  /** By repository key. */
  readonly marks: ReadonlyMap<string, CachedRecord<MarkRecord>>;
  /** By run id. */
  readonly runs: ReadonlyMap<string, CachedRecord<RunRecord>>;
  /** Versions of leases that were released, by repository key: nothing happens to them any more. */
  readonly released: ReadonlyMap<string, string>;
  /** Snapshot ids, keys of marks and run ids that only the index told of: enough to plan with, not to delete. */
  readonly unread: ReadonlySet<string>;
}

export const EMPTY_PART: CatalogPart = {
  manifests: new Map(),
  marks: new Map(),
  runs: new Map(),
  released: new Map(),
  unread: new Set(),
};

/** Changes when the form below does, that of packed manifests included: what is of another version is read anew. */
export const PACK_VERSION = 6;

/** A part as JSON. */
export interface PackedPart {
  readonly manifests: PackedManifests;
  readonly marks: readonly (readonly [string, CachedRecord<MarkRecord>])[];
  readonly runs: readonly (readonly [string, CachedRecord<RunRecord>])[];
  readonly released: readonly (readonly [string, string])[];
  readonly unread: readonly string[];
}

export const packPart = ({ manifests, marks, runs, released, unread }: CatalogPart): PackedPart => ({
  manifests: packManifests(manifests),
  marks: [...marks],
  runs: [...runs],
  released: [...released],
  unread: [...unread],
});

/** Throws when the packed form does not fit. */
export const unpackPart = (backup: string, { manifests, marks, runs, released, unread }: PackedPart): CatalogPart => ({
  manifests: unpackManifests(backup, manifests),
  marks: new Map(marks),
  runs: new Map(runs),
  released: new Map(released),
  unread: new Set(unread),
});

/** The part without what nobody here has read. */
export function readHere(part: CatalogPart): CatalogPart {
  if (part.unread.size === 0) return part;
  const without = <T>(known: ReadonlyMap<string, T>): ReadonlyMap<string, T> =>
    new Map([...known].filter(([name]) => !part.unread.has(name)));
  return {
    manifests: without(part.manifests),
    marks: without(part.marks),
    runs: without(part.runs),
    released: part.released,
    unread: new Set(),
  };
}
