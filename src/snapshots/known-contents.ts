import type { Repository } from '../repositories/repository.ts';
import type { Catalog } from './catalog.ts';
import { EMPTY_PART, readHere, type CatalogPart } from './catalog-part.ts';
import { expectedKeys, NOTHING_EXPECTED } from './expected-keys.ts';
import type { BackupListing, ExpectedKeys, Versions } from './list-backups.ts';
import { readSharedIndex, type SharedIndex } from './shared-index.ts';
import type { TrustedKeys } from './trust.ts';

/** Backups of which nothing is believed that only the index tells, since deletions may rest on them. */
export type Unshared = 'all' | ReadonlySet<string>;

/** How far the index of a repository is believed. */
export interface Belief {
  readonly unshared: Unshared;
  /** It counts with a signature of one of them only; null where everything counts. */
  readonly trusted: TrustedKeys;
}

/** What is known of a repository before it is read: by the catalog of this machine, else by the repository's index. */
export interface KnownContents {
  readonly expected: ExpectedKeys;
  /** Versions of leases that were released, by key. */
  readonly released: ReadonlyMap<string, string>;
  /** Asks the index where much of what the listings show is not known yet. */
  consult(listings: readonly BackupListing[]): Promise<void>;
  /** What is known of one backup in the versions that are listed. To be asked once. */
  take(listing: BackupListing): KnownPart;
}

export interface KnownPart {
  readonly part: CatalogPart;
  /** The catalog of this machine holds just that. */
  readonly isStored: boolean;
}

/** Fewer objects are sooner read than looked up. */
const WORTH_ASKING = 16;

/** Recalls what is known. Only where reading takes round trips there is an index, and all of it is recalled at once. */
export async function recallContents(
  repository: Repository,
  repositoryId: string,
  catalog: Catalog | undefined,
  { unshared, trusted }: Belief,
  folders?: ReadonlySet<string>,
): Promise<KnownContents> {
  if (repository.listVersions === undefined)
    return {
      expected: NOTHING_EXPECTED,
      released: new Map(),
      consult: async () => undefined,
      take: ({ backup }) => ({ part: catalog?.load(repositoryId, backup) ?? EMPTY_PART, isStored: true }),
    };
  const isWanted = (backup: string): boolean => folders === undefined || folders.has(backup);
  const backups = (catalog?.backups(repositoryId) ?? []).filter(isWanted);
  const local = loadAll(backups, (backup) => catalog?.load(repositoryId, backup));
  const ask = async (): Promise<SharedIndex | undefined> =>
    unshared === 'all' ? undefined : readSharedIndex(repository, repositoryId, trusted);
  const shared = local.size === 0 ? loadIndex(await ask(), isWanted) : new Map<string, CatalogPart>();
  let index: SharedIndex | undefined;
  const known = local.size === 0 ? shared : local;
  return {
    expected: expectedKeys(known),
    released: new Map([...known.values()].flatMap((part) => [...part.released])),
    consult: async (listings) => {
      if (local.size > 0 && lacking(local, listings) > WORTH_ASKING) index = await ask();
    },
    take: (listing) => {
      const { backup } = listing;
      const own = local.get(backup) ?? EMPTY_PART;
      const told = shared.get(backup) ?? index?.load(backup);
      local.delete(backup);
      shared.delete(backup);
      const isShared = unshared !== 'all' && !unshared.has(backup);
      const part = isShared ? believe(listing, own, told ?? EMPTY_PART) : readHere(own);
      return { part, isStored: part === own };
    },
  };
}

const loadIndex = (index: SharedIndex | undefined, isWanted: (backup: string) => boolean): Map<string, CatalogPart> =>
  loadAll((index?.backups ?? []).filter(isWanted), (backup) => index?.load(backup));

function loadAll(
  backups: readonly string[],
  load: (backup: string) => CatalogPart | undefined,
): Map<string, CatalogPart> {
  const parts = new Map<string, CatalogPart>();
  for (const backup of backups) {
    const part = load(backup);
    if (part !== undefined) parts.set(backup, part);
  }
  return parts;
}

function lacking(parts: ReadonlyMap<string, CatalogPart>, listings: readonly BackupListing[]): number {
  let count = 0;
  for (const { backup, manifests, marks, runs } of listings) {
    const part = parts.get(backup) ?? EMPTY_PART;
    const missing = (listed: Versions, known: ReadonlyMap<string, unknown>): number =>
      listed.size - [...listed.keys()].filter((name) => known.has(name)).length;
    count += missing(manifests, part.manifests) + missing(marks, part.marks) + missing(runs, part.runs);
  }
  return count;
}

/** What was read here, and of the rest what is told of exactly the listed versions. */
function believe(listing: BackupListing, own: CatalogPart, told: CatalogPart): CatalogPart {
  if (own.unread.size === 0 && told === EMPTY_PART) return own;
  const read = readHere(own);
  const unread = new Set<string>();
  const joined = <T extends { readonly version: string }>(
    listed: Versions,
    ...[first, ...others]: readonly [ReadonlyMap<string, T>, ...(readonly ReadonlyMap<string, T>[])]
  ): ReadonlyMap<string, T> => {
    const all = new Map(first);
    for (const [name, value] of others.flatMap((other) => [...other])) {
      if (all.has(name) || listed.get(name) !== value.version) continue;
      all.set(name, value);
      unread.add(name);
    }
    return all;
  };
  return {
    manifests: joined(listing.manifests, read.manifests, own.manifests, told.manifests),
    marks: joined(listing.marks, read.marks, own.marks, told.marks),
    runs: joined(listing.runs, read.runs, own.runs, told.runs),
    released: own.released,
    unread,
  };
}
