import { setImmediate } from 'node:timers/promises';
import type { Context } from '../context.ts';
import { throwIfAborted } from '../errors.ts';
import type { Repository } from '../repositories/repository.ts';
import type { Catalog, CatalogPart } from './catalog.ts';
import type { Identity } from './identity.ts';
import type { HeldLease, RepositoryInventory, TamperedManifest } from './inventory.ts';
import type { SnapshotName } from './keys.ts';
import { listBackups, type BackupListing } from './list-backups.ts';
import { describeLeases, isDead } from './leases.ts';
import { foundRemains } from './find-remains.ts';
import { viewManifests } from './manifest-view.ts';
import { isCleaned } from './marks.ts';
import { readBackup, type BackupContent } from './read-backup.ts';

export interface InventoryRequest {
  /** As `repositoryIdentity` gave it. */
  readonly identity: Identity;
  /** Whose snapshots are shown; those of others are counted. Null shows all. */
  readonly policyNames: readonly string[] | null;
  readonly catalog?: Catalog;
  /** Tells of a lease that nobody released whether it is over. Default: its owner is a dead process of this machine. */
  readonly leaseOver?: (lease: HeldLease) => boolean;
}

const EMPTY: CatalogPart = { manifests: new Map(), marks: new Map(), runs: new Map() };

/**
 * Reads everything that planning needs to know of a repository: its listings are the truth, contents that never change
 * come from the catalog. Changes nothing in the repository.
 */
export async function readInventory(
  repository: Repository,
  request: InventoryRequest,
  context: Pick<Context, 'host' | 'signal'>,
): Promise<RepositoryInventory> {
  const { identity, catalog } = request;
  const leases = await describeLeases(repository);
  const { repository: asWritten, changes } = await viewManifests(repository);
  const listings = await listBackups(asWritten);
  const contents: BackupContent[] = [];
  for (const listing of listings) {
    throwIfAborted(context.signal);
    contents.push(await readListed(asWritten, listing, identity, catalog, context.signal));
    await setImmediate();
  }
  const { removed, overwritten } = await changes();
  const isOwn = (policy: string): boolean => request.policyNames === null || request.policyNames.includes(policy);
  const leaseOver = request.leaseOver ?? ((lease: HeldLease) => isDead(lease.owner, context.host));
  const inForce = leases.filter((lease) => !leaseOver(lease));
  // Removed by nobody who said so.
  const stolen = removed.filter((name) => !isReleased(contents, name));
  return {
    repositoryId: identity.id,
    snapshots: contents.flatMap(({ snapshots }) => snapshots.filter(({ policy }) => isOwn(policy))),
    remains: (
      await Promise.all(contents.map((content) => foundRemains(repository, withoutManifest(content, stolen), inForce)))
    )
      .flat()
      .filter(({ policy }) => policy === null || isOwn(policy)),
    ...(repository.versions === undefined ? {} : { tampered: tamperedOf(stolen, overwritten) }),
    unreadable: contents.flatMap(({ unreadable }) => unreadable),
    gone: contents.flatMap(({ gone }) => gone),
    foreign: contents.flatMap((content) => countForeign(content, isOwn)),
    runs: contents.flatMap(({ runs }) => runs.filter(({ policy }) => isOwn(policy))),
    leases,
  };
}

async function readListed(
  repository: Repository,
  listing: BackupListing,
  { id }: Identity,
  catalog: Catalog | undefined,
  signal: AbortSignal,
): Promise<BackupContent> {
  const known = catalog?.load(id, listing.backup) ?? EMPTY;
  const { content, learned } = await readBackup(repository, listing, known, signal);
  if (learned !== undefined) catalog?.save(id, listing.backup, learned);
  return content;
}

/** What a whole snapshot left whose manifest was removed is no remains. */
function withoutManifest(content: BackupContent, stolen: readonly SnapshotName[]): BackupContent {
  const ids = new Set(stolen.filter(({ backup }) => backup === content.backup).map(({ id }) => id));
  return { ...content, uncommitted: content.uncommitted.filter((id) => !ids.has(id)) };
}

const tamperedOf = (
  removed: readonly SnapshotName[],
  overwritten: readonly SnapshotName[],
): readonly TamperedManifest[] =>
  [
    ...removed.map((name) => ({ ...name, how: 'removed' as const })),
    ...overwritten.map((name) => ({ ...name, how: 'overwritten' as const })),
  ].toSorted((a, b) => (`${a.backup}/${a.id}` < `${b.backup}/${b.id}` ? -1 : 1));

const isReleased = (contents: readonly BackupContent[], { backup, id }: SnapshotName): boolean =>
  (contents.find((one) => one.backup === backup)?.marks.get(id) ?? []).some(
    (mark) => mark.kind === 'released' && !isCleaned(mark),
  );

function countForeign(
  { backup, snapshots }: BackupContent,
  isOwn: (policy: string) => boolean,
): RepositoryInventory['foreign'] {
  const counts = new Map<string, number>();
  for (const { policy } of snapshots) if (!isOwn(policy)) counts.set(policy, (counts.get(policy) ?? 0) + 1);
  return Array.from(counts, ([policy, count]) => ({ backup, policy, count }));
}
