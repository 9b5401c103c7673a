import { hash } from 'node:crypto';
import { eachLimited } from '../each-limited.ts';
import { throwIfAborted } from '../errors.ts';
import type { Repository } from '../repositories/repository.ts';
import type { CatalogPart } from './catalog-part.ts';
import { readIfPresent } from './identity.ts';
import type { UnreadableManifest } from './inventory.ts';
import { manifestKey } from './keys.ts';
import type { BackupListing } from './list-backups.ts';
import { parseManifest, slimManifest } from './manifest-codec.ts';
import type { CachedManifest } from './pack-manifests.ts';
import { READS_AT_ONCE } from './read-records.ts';

export interface ReadManifests {
  /** By id, sorted. */
  readonly cached: ReadonlyMap<string, CachedManifest>;
  readonly unusable: ReadonlyMap<string, UnreadableManifest>;
  /** The catalog does not know all of it. */
  readonly isNews: boolean;
}

/**
 * A manifest never changes, so the catalog is believed where a listing tells no versions; that somebody changed one
 * nevertheless is then looked for in the newest of each backup, which plans rest on. Verifying, restoring and removing
 * read the manifest itself.
 */
const NEWEST_CHECKED = 64;
/** Stands for the version of a manifest that was read without asking for it; it is read again once it is to be checked. */
const UNASKED = '-';
/** So many digits of a SHA-256 that nobody finds another manifest with the same. */
const DIGEST_DIGITS = 32;
/** Stands for the version of a manifest that did change. */
const CHANGED = '';

/** What one manifest turned out to be. */
interface Found {
  readonly cached?: CachedManifest | undefined;
  readonly unusable?: UnreadableManifest;
}

/** The manifests that a listing shows: known ones from the catalog, the others read. */
export async function readManifests(
  repository: Repository,
  { backup, manifests }: BackupListing,
  known: CatalogPart,
  signal: AbortSignal,
): Promise<ReadManifests> {
  const oldestChecked = manifests.size - NEWEST_CHECKED;
  const unsure: { readonly id: string; readonly version: string | undefined }[] = [];
  let index = 0;
  for (const [id, listed] of manifests) {
    const version = listed ?? (index < oldestChecked ? UNASKED : undefined);
    if (!isKnown(known.manifests.get(id), version)) unsure.push({ id, version });
    index += 1;
  }
  const read = new Map<string, Found>();
  await eachLimited(unsure, READS_AT_ONCE, async ({ id, version }) => {
    throwIfAborted(signal);
    read.set(id, await readOne(repository, backup, id, version, known.manifests.get(id)));
  });
  const cached = new Map<string, CachedManifest>();
  const unusable = new Map<string, UnreadableManifest>();
  let isNews = known.manifests.size > manifests.size;
  for (const id of manifests.keys()) {
    const before = known.manifests.get(id);
    const found = read.get(id) ?? { cached: before };
    if (found.unusable !== undefined) unusable.set(id, found.unusable);
    if (found.cached === undefined) continue;
    cached.set(id, found.cached);
    isNews ||= found.cached !== before;
  }
  return { cached, unusable, isNews };
}

function isKnown(before: CachedManifest | undefined, version: string | undefined): boolean {
  if (before === undefined || version === undefined) return false;
  return version === UNASKED ? before.version !== CHANGED : before.version === version;
}

async function readOne(
  repository: Repository,
  backup: string,
  id: string,
  listed: string | undefined,
  before: CachedManifest | undefined,
): Promise<Found> {
  const key = manifestKey(backup, id);
  const version = listed ?? (await repository.stat(key))?.version;
  if (before !== undefined && before.version === version) return { cached: before };
  const bytes = version === undefined ? undefined : await readIfPresent(repository, key);
  if (bytes === undefined || version === undefined) return {};
  const digest = hash('sha256', bytes, 'hex').slice(0, DIGEST_DIGITS);
  if (before !== undefined && before.digest !== digest) {
    const message = 'it is not what it was when it was first read';
    return {
      // Remembered as it was, so that the change is seen again next time.
      cached: before.version === CHANGED ? before : { ...before, version: CHANGED },
      unusable: { backup, id, reason: 'changed', message },
    };
  }
  const parsed = parseManifest(bytes, { backup, id });
  return parsed.ok
    ? { cached: { version, digest, record: slimManifest(parsed.value) } }
    : { unusable: { backup, id, reason: parsed.reason, message: parsed.message } };
}
