import type { Clock } from '../context.ts';
import { eachLimited } from '../each-limited.ts';
import { BkpError, guardError, repositoryError } from '../errors.ts';
import type { Keeping, ObjectVersion, ObjectVersions } from '../repositories/object-versions.ts';
import type { Repository } from '../repositories/repository.ts';
import { IDENTITY_KEY, manifestKey, snapshotFolder, type SnapshotName } from './keys.ts';
import { firstVersion, keptVersions, versionsOfKey } from './kept-versions.ts';

const DAY_MS = 86_400_000;
/** The store is asked about each object of a snapshot, of which there may be many. */
const AT_ONCE = 8;

/** What a place keeps, where it can keep anything. Throws where the policy asks for a lock that it cannot give. */
export async function keepingOf(repository: Repository): Promise<Keeping | undefined> {
  const { versions } = repository;
  const keeping = await versions?.keeping();
  if (versions?.isLockWanted === true && keeping?.objectLock !== true) throw noObjectLock(repository);
  return keeping;
}

/**
 * Until when a snapshot that is complete now is locked, by the store's clock; undefined where nothing is locked. Throws
 * where the policy asks for a lock that the place cannot give.
 */
export async function lockEnd(repository: Repository, clock: Clock): Promise<Date | undefined> {
  const keeping = await keepingOf(repository);
  if (keeping === undefined || keeping.lockDays === null) return undefined;
  const now = (await repository.now()) ?? clock.now();
  // Stores keep whole seconds.
  return new Date(Math.ceil((now.getTime() + keeping.lockDays * DAY_MS) / 1000) * 1000);
}

const noObjectLock = ({ location }: Repository): Error =>
  repositoryError(`cannot lock objects in ${location}: the bucket has no object lock`, {
    hint: 'make a new bucket with object lock (`aws s3api create-bucket --object-lock-enabled-for-bucket …`), or leave `objectLock` out',
  });

/**
 * Locks the artifacts of a snapshot, and with them the identity of the repository, without which nobody finds it.
 * begin.json and marks are not locked: what begin.json lists stands in the manifest, and no mark lets anybody remove what
 * the store has locked. Every version is locked, since somebody may have written over the one that was checked.
 */
export async function lockArtifacts(
  repository: Repository,
  name: SnapshotName,
  keys: readonly string[],
  until: Date,
): Promise<void> {
  const versions = await keptVersions(repository);
  if (versions === undefined) throw noObjectLock(repository);
  for await (const page of objectsOfKeys(versions, name, keys))
    await eachLimited(page, AT_ONCE, (version) => lockVersion(versions, version, until, until));
  const identity = firstVersion(await versionsOfKey(versions, IDENTITY_KEY));
  // One that the policy locked in another mode before can follow once that lock ends; until then it is safe all the same.
  if (identity !== undefined) await lockVersion(versions, identity, until, new Date(0));
}

/** Locks a version until a time; one that the store refuses to lock anew is well where it is locked long enough. */
async function lockVersion(
  versions: ObjectVersions,
  { key, version }: ObjectVersion,
  until: Date,
  enough: Date,
): Promise<void> {
  try {
    await versions.retain(key, version, until);
  } catch (error) {
    if (!(error instanceof BkpError) || error.code !== 'repository') throw error;
    const { until: before } = await versions.lockOf(key, version);
    if (before === null || before < enough) throw error;
  }
}

/**
 * Holds every object of a snapshot until somebody lifts it, or lifts it. False where the place cannot hold objects; throws
 * where the store refuses.
 */
export async function holdSnapshot(
  repository: Repository,
  name: SnapshotName,
  keys: readonly string[],
  isHeld: boolean,
): Promise<boolean> {
  const versions = await keptVersions(repository);
  if (versions === undefined || !(await versions.keeping()).objectLock) return false;
  for await (const page of withManifest(versions, name, keys))
    await eachLimited(page, AT_ONCE, ({ key, version }) => versions.hold(key, version, isHeld));
  return true;
}

/** What keeps a snapshot, or what is left of one, from being removed: a hold, or the lock that lasts longest. */
export interface Obstruction {
  readonly key: string;
  /** When the lock ends, ISO; null for a hold. */
  readonly until: string | null;
}

/** Asks the store about every version of a snapshot, and of the manifest; `keys` are those below the snapshot's folder. */
export async function findObstruction(
  repository: Repository,
  name: SnapshotName,
  keys: readonly string[],
): Promise<Obstruction | null> {
  const versions = await keptVersions(repository);
  if (versions === undefined || !(await versions.keeping()).objectLock) return null;
  let strongest: Obstruction | null = null;
  for await (const page of withManifest(versions, name, [...keys, 'begin.json'])) {
    const found = await eachLimited(page, AT_ONCE, async ({ key, version }): Promise<readonly Obstruction[]> => {
      const { until, isHeld } = await versions.lockOf(key, version);
      if (isHeld) return [{ key, until: null }];
      return until === null ? [] : [{ key, until: until.toISOString() }];
    });
    for (const one of found.flat()) if (strongest === null || isStronger(one, strongest)) strongest = one;
  }
  return strongest;
}

const isStronger = (one: Obstruction, other: Obstruction): boolean => (one.until ?? '~') > (other.until ?? '~');

/**
 * Throws `guard` while the store would refuse to remove any version of a snapshot: asked before the first step of a
 * removal, so that none ends half-way. `keys` are those below the snapshot's folder.
 */
export async function assertUnlocked(
  repository: Repository,
  name: SnapshotName,
  keys: readonly string[],
  clock: Clock,
): Promise<void> {
  const found = await findObstruction(repository, name, keys);
  if (found === null) return;
  const cannot = `cannot remove ${name.backup}@${name.id} from ${repository.location}`;
  if (found.until === null)
    throw guardError(`${cannot}: ${found.key} has a legal hold`, {
      hint: `nothing was removed; \`bkp unprotect ${name.backup}@${name.id}\` lifts the hold`,
    });
  const now = (await repository.now()) ?? clock.now();
  if (found.until > now.toISOString())
    throw guardError(`${cannot}: ${found.key} is locked until ${found.until}`, {
      hint: 'nothing was removed; nobody can before',
    });
}

/** Versions of the objects of a snapshot, some at a time: there may be very many. */
async function* objectsOfKeys(
  versions: ObjectVersions,
  { backup, id }: SnapshotName,
  keys: readonly string[],
): AsyncGenerator<readonly ObjectVersion[], undefined> {
  const folder = snapshotFolder(backup, id);
  const wanted = new Set(keys.map((key) => folder + key));
  const folders = [...wanted].filter((key) => key.endsWith('/'));
  const isWanted = (key: string): boolean => wanted.has(key) || folders.some((below) => key.startsWith(below));
  for await (const page of versions.pages(folder)) yield page.filter(({ key, isMarker }) => !isMarker && isWanted(key));
  return undefined;
}

/** The same with those of its manifest. */
async function* withManifest(
  versions: ObjectVersions,
  name: SnapshotName,
  keys: readonly string[],
): AsyncGenerator<readonly ObjectVersion[], undefined> {
  yield* objectsOfKeys(versions, name, keys);
  const ofManifest = await versionsOfKey(versions, manifestKey(name.backup, name.id));
  yield ofManifest.filter(({ isMarker }) => !isMarker);
  return undefined;
}
