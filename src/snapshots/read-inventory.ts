import { setImmediate } from 'node:timers/promises';
import type { Context } from '../context.ts';
import { eachLimited } from '../each-limited.ts';
import { throwIfAborted } from '../errors.ts';
import type { Repository } from '../repositories/repository.ts';
import type { Catalog } from './catalog.ts';
import { describeLeases } from './describe-leases.ts';
import type { Identity } from './identity.ts';
import type { HeldLease, RepositoryInventory, TamperedManifest } from './inventory.ts';
import { parseLeaseKey, type SnapshotName } from './keys.ts';
import { recallContents, type KnownPart, type Unshared } from './known-contents.ts';
import { listBackups, type BackupListing } from './list-backups.ts';
import { isDead } from './leases.ts';
import { foundRemains } from './find-remains.ts';
import { viewManifests } from './manifest-view.ts';
import { isCleaned } from './marks.ts';
import { countedRun, type TrustedKeys } from './trust.ts';
import { readBackup, type BackupContent } from './read-backup.ts';

export interface InventoryRequest {
  /** As `repositoryIdentity` gave it. */
  readonly identity: Identity;
  /** Whose snapshots are shown; those of others are counted. Null shows all. */
  readonly policyNames: readonly string[] | null;
  /** Backup folders that are looked at; leases of other backups are not told either. Default: all. */
  readonly folders?: ReadonlySet<string>;
  readonly catalog?: Catalog;
  /** Default: the index is believed of every backup. */
  readonly unshared?: Unshared;
  /** Public keys whose signatures count; default everything counts. */
  readonly trusted?: TrustedKeys;
  /** Tells of a lease that nobody released whether it is over. Default: its owner is a dead process of this machine. */
  readonly leaseOver?: (lease: HeldLease) => boolean;
}

const ALL_SHARED: Unshared = new Set();
/** Backups that are read at the same time, where reading takes round trips. */
const BACKUPS_AT_ONCE = 3;

/**
 * Reads everything that planning needs to know of a repository: its listings are the truth, contents that never change
 * come from the catalog. Changes nothing in the repository.
 */
export async function readInventory(
  repository: Repository,
  request: InventoryRequest,
  context: Pick<Context, 'host' | 'signal'>,
): Promise<RepositoryInventory> {
  const { identity, catalog, folders, trusted = null } = request;
  const belief = { unshared: request.unshared ?? ALL_SHARED, trusted };
  const known = await recallContents(repository, identity.id, catalog, belief, folders);
  const { held: leases, released } = await describeLeases(repository, known.released, folders);
  const { repository: asWritten, changes } = await viewManifests(repository, folders);
  const listings = await listBackups(asWritten, known.expected, folders);
  await known.consult(listings);
  const atOnce = repository.listVersions === undefined ? 1 : BACKUPS_AT_ONCE;
  const contents = await eachLimited(listings, atOnce, async (listing) => {
    throwIfAborted(context.signal);
    const content = await readListed(asWritten, listing, known.take(listing), released, request, context.signal);
    await setImmediate();
    return content;
  });
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
      await Promise.all(
        contents.map((content) => foundRemains(repository, withoutManifest(content, stolen), inForce, trusted)),
      )
    )
      .flat()
      .filter(({ policy }) => policy === null || isOwn(policy)),
    ignoredMarks: contents.flatMap(({ ignoredMarks }) => ignoredMarks),
    ...(repository.versions === undefined ? {} : { tampered: tamperedOf(stolen, overwritten) }),
    unreadable: contents.flatMap(({ unreadable }) => unreadable),
    gone: contents.flatMap(({ gone }) => gone),
    foreign: contents.flatMap((content) => countForeign(content, isOwn)),
    runs: contents
      .flatMap(({ runs }) => runs.map((run) => countedRun(run, trusted)))
      .filter(({ policy }) => isOwn(policy)),
    leases,
  };
}

async function readListed(
  repository: Repository,
  listing: BackupListing,
  { part: known, isStored }: KnownPart,
  leases: ReadonlyMap<string, string>,
  { identity, catalog, trusted = null }: InventoryRequest,
  signal: AbortSignal,
): Promise<BackupContent> {
  const reading = { repositoryId: identity.id, trusted, known };
  const { content, part, isNews } = await readBackup(repository, listing, reading, signal);
  const released = new Map([...leases].filter(([key]) => parseLeaseKey(key)?.backup === listing.backup));
  const isEnded = [...released].some(([key, version]) => known.released.get(key) !== version);
  if (isNews || isEnded || !isStored) catalog?.save(identity.id, listing.backup, { ...part, released });
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
