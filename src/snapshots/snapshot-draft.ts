import type { Context, Host } from '../context.ts';
import { guardError, lockError, repositoryError } from '../errors.ts';
import type { Signing } from '../signing/signing.ts';
import type { Repository } from '../repositories/repository.ts';
import { signArrival, trustedArrivals, type Arrival } from './arrivals.ts';
import { isCleaning, writeBegin, type Begin } from './begin.ts';
import { createOwn } from './create-own.ts';
import { lockArtifacts, lockEnd } from './object-lock.ts';
import type { Lease } from './held-lease.ts';
import { repositoryIdentity } from './identity.ts';
import { beginKey, manifestKey, snapshotFolder, type SnapshotName } from './keys.ts';
import type { Manifest } from './manifest.ts';
import { artifactKeys, assertKeys, writeManifest } from './manifest-codec.ts';
import { isCleaned, readMarks, releasedKeys } from './marks.ts';
import { manifestSigner, signManifest, unsigned } from './signature.ts';
import { trustedIn } from './trust.ts';
import { hasVersions, isDeserted, readBegin } from './remove-remains.ts';

/** A snapshot on its way into a repository: invisible until its manifest is committed. */
export interface SnapshotDraft extends SnapshotName {
  /**
   * What the key of every artifact must begin with. Empty unless files of an earlier try were cleaned away, or
   * hold other bytes: whoever cleans or stores them may be slow, and must not meet the files of this one.
   */
  readonly prefix: string;
  /** Keys that an earlier try to store the same snapshot announced and nobody cleaned: some may have arrived whole. */
  readonly announced: ReadonlySet<string>;
  /** What arrived in earlier tries as bytes of their own, which nobody writes or cleans any more. */
  readonly arrived: readonly Arrival[];
  /** Lists an artifact's key in begin.json and gives the repository key to store it under. */
  addKey(key: string): Promise<string>;
  /** Notes an artifact that arrived as bytes of this try, for whoever goes on if it does not come to its end. */
  noteArrival(arrival: Omit<Arrival, 'signature'>): Promise<void>;
  /** Signs the manifest where the policy asks for it and writes it, exclusively and last: the snapshot exists from now on. */
  commit(manifest: Manifest): Promise<void>;
}

/** `backup` is the folder: the lease's backup, or the name it had when a snapshot that is copied was made. */
export interface BeginRequest extends SnapshotName {
  readonly policy: string;
  /** What is stored are other bytes in every try (encrypted anew): no two tries may write the same key. */
  readonly ownBytes?: boolean;
}

/**
 * Starts to store a snapshot under a lease: begin.json comes first. Remains of an earlier, dead try to store the same
 * snapshot (a copy) are taken over.
 */
export async function beginSnapshot(
  repository: Repository,
  { backup, id, policy, ownBytes = false }: BeginRequest,
  lease: Lease,
  context: Pick<Context, 'clock' | 'host' | 'signing'>,
): Promise<SnapshotDraft> {
  const { clock, host, signing } = context;
  // Refused before anything is captured.
  signing?.key();
  const name = { backup, id };
  await lease.assertHeld();
  // Told before anything is captured, not after it.
  await lockEnd(repository, clock);
  // The first manifest would go on counting, also where somebody removed it.
  if (await hasVersions(repository, name)) throw thereAlready(repository, name);
  let begin: Begin = {
    formatVersion: 1,
    policy,
    ...name,
    owner: lease.owner,
    lease: { backup: lease.backup, number: lease.number },
    startedAt: clock.now().toISOString(),
    keys: [],
    ...(ownBytes ? { arrived: [] } : {}),
  };
  let earlier: Begin | undefined;
  if (!(await repository.create(beginKey(backup, id), writeBegin(begin)))) {
    earlier = await deserted(repository, name, lease, host);
    begin = {
      ...begin,
      keys: earlier?.keys ?? [],
      ...(earlier?.arrived && { arrived: earlier.cleaning === true ? [] : earlier.arrived }),
    };
    await repository.put(beginKey(backup, id), writeBegin(begin));
  }
  const cleanings = (await readMarks(repository, name, trustedIn(context))).filter(isCleaned);
  const isRemoved = earlier?.cleaning === true || cleanings.length > 0;
  const cleaned = new Set(releasedKeys(cleanings));
  const isStill = ({ key }: Arrival): boolean => !cleaned.has(key);
  const isApart = isRemoved || (earlier !== undefined && (ownBytes || earlier.arrived !== undefined));
  const repositoryId = signing === undefined ? '' : ((await repositoryIdentity(repository))?.id ?? '');
  let writing: Promise<void> = Promise.resolve();
  const prefix = isApart ? `copy~${lease.owner.run}/` : '';
  const inTurn = async (work: () => Promise<void>): Promise<void> => {
    // Targets are captured side by side; begin.json is written one key after the other.
    const next = writing.then(work);
    writing = next.catch(() => undefined);
    await next;
  };
  const addKey = async (key: string): Promise<void> => {
    if (!key.startsWith(prefix)) throw new Error(`${key} does not begin with ${prefix}`);
    if (begin.keys.includes(key)) return;
    assertKeys([key]);
    await lease.assertHeld();
    begin = { ...begin, keys: [...begin.keys, key] };
    await repository.put(beginKey(backup, id), writeBegin(begin));
    // A list that came late may be read by nobody: what it lists must not come then.
    await lease.assertHeld();
  };
  return {
    ...name,
    prefix,
    announced: new Set(isApart ? [] : earlier?.keys),
    arrived: trustedArrivals(begin.arrived ?? [], name, repositoryId, trustedIn(context)).filter(isStill),
    noteArrival: (arrival) =>
      inTurn(async () => {
        await lease.assertHeld();
        const noted = signing === undefined ? arrival : signArrival(arrival, name, repositoryId, signing.key());
        begin = { ...begin, arrived: [...(begin.arrived ?? []), noted] };
        await repository.put(beginKey(backup, id), writeBegin(begin));
      }),
    addKey: async (key) => {
      await inTurn(() => addKey(key));
      return `${snapshotFolder(backup, id)}${key}`;
    },
    commit: (manifest) => commit(repository, manifest, begin, lease, context),
  };
}

/**
 * The manifest as it is to be stored: a right signature that counts stays, so that a copy without changes is the same
 * bytes; else it is signed with the run's own key. What is no signature of it any more is left out.
 */
function signedAnew(manifest: Manifest, signing: Signing | undefined): Manifest {
  const signer = manifestSigner(manifest);
  if (typeof signer === 'string' && (signing === undefined || signing.publicKeys.includes(signer))) return manifest;
  return signing === undefined ? unsigned(manifest) : signManifest(manifest, signing.key());
}

/** The begin.json of a dead try, if it can be read; throws where somebody may still be at work. */
async function deserted(
  repository: Repository,
  name: SnapshotName,
  lease: Lease,
  host: Host,
): Promise<Begin | undefined> {
  const key = beginKey(name.backup, name.id);
  const begin = await readBegin(repository, name);
  // Where nothing is, the store only refuses to create anew what was removed once.
  const isFree = begin === undefined ? (await repository.stat(key)) === undefined : false;
  const isOver = begin === undefined ? isFree : await isDeserted(repository, begin, lease, host);
  if (!isOver || (await repository.stat(manifestKey(name.backup, name.id))) !== undefined)
    throw thereAlready(repository, name);
  return begin;
}

const thereAlready = ({ location }: Repository, { backup, id }: SnapshotName): Error =>
  guardError(`cannot store ${backup}@${id} in ${location}: it is there already`, {
    hint: '`bkp list` shows what it is, `bkp list --deleted` what somebody deleted',
  });

async function commit(
  repository: Repository,
  { lockedUntil: _elsewhere, ...unlocked }: Manifest,
  begin: Begin,
  lease: Lease,
  { clock, signing }: Pick<Context, 'clock' | 'signing'>,
): Promise<void> {
  const until = await lockEnd(repository, clock);
  const locked = until === undefined ? unlocked : { ...unlocked, lockedUntil: until.toISOString() };
  const manifest = signedAnew(locked, signing);
  const listed = new Set(begin.keys);
  const keys = artifactKeys(manifest);
  for (const key of keys) {
    if (!listed.has(key))
      throw repositoryError(`cannot commit ${begin.backup}@${begin.id}: ${key} was never announced`);
  }
  const key = manifestKey(begin.backup, begin.id);
  const bytes = writeManifest(manifest);
  await lease.assertHeld();
  if (until !== undefined) {
    await lockArtifacts(repository, begin, keys, until);
    await lease.assertHeld();
  }
  const store = until === undefined ? repository : (repository.versions?.locking(until) ?? repository);
  const how = await createOwn(store, key, bytes);
  if (how === 'taken') throw guardError(`cannot commit ${begin.backup}@${begin.id}: it has a manifest already`);
  if (how === 'refused') {
    await lease.assertHeld();
    await store.put(key, bytes);
  }
  await assertNotCleaned(repository, begin, keys);
}

/**
 * A runner that was paused right before its manifest may have lost its lease and, with it, the artifacts. A cleaner tells
 * in begin.json before it looks for a manifest: where it does not, it will find this one and leave it.
 */
async function assertNotCleaned(repository: Repository, begin: Begin, keys: readonly string[]): Promise<void> {
  const current = await readBegin(repository, begin);
  if (current !== undefined && !isCleaning(current, keys)) return;
  throw lockError(`cannot commit ${begin.backup}@${begin.id}: another runner took over and cleaned it away`, {
    hint: 'this run was silent for longer than its lease; run it again',
  });
}
