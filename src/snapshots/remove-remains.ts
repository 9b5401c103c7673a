import type { Context, Host } from '../context.ts';
import { guardError } from '../errors.ts';
import type { Repository } from '../repositories/repository.ts';
import { keptUntil, parseBegin, writeBegin, type Begin } from './begin.ts';
import type { Lease } from './held-lease.ts';
import { readIfPresent } from './identity.ts';
import { beginKey, manifestKey, snapshotFolder, type SnapshotName } from './keys.ts';
import { isLeaseOver } from './leases.ts';
import { assertKeys } from './manifest-codec.ts';
import { keptVersions, removeFolder, removeWhole, versionsOfKey } from './kept-versions.ts';
import { CLEANED } from './manifest.ts';
import { addMark, isCleaned, readMarks, releasedKeys } from './marks.ts';
import { assertUnlocked } from './object-lock.ts';
import { trustedIn } from './trust.ts';

/** The begin.json of a snapshot; undefined where there is none that can be read. */
export async function readBegin(repository: Repository, name: SnapshotName): Promise<Begin | undefined> {
  const bytes = await readIfPresent(repository, beginKey(name.backup, name.id));
  const parsed = bytes === undefined ? undefined : parseBegin(bytes, name);
  return parsed?.ok === true ? parsed.value : undefined;
}

export interface CleanRequest extends SnapshotName {
  readonly policyNames: readonly string[];
  /** What was uploaded there is a snapshot of its own now, and nobody can upload there any more. */
  readonly isAdopted?: boolean;
}

/**
 * Removes what a capture or a removal that was cut short left behind: only keys that its begin.json or a `released`
 * mark lists, only when no manifest is there and the lease it was made under is over. False when there was nothing to
 * do. begin.json says so first and a `released` mark before the first file goes, so that a writer which was paused and
 * wakes up cannot make a good snapshot of it.
 *
 * begin.json is not signed. Who can write one into a folder without a manifest makes this delete what lies in that folder;
 * nobody who cannot delete gains more by it, since a manifest that is there, readable or not, keeps its files, and to take
 * it away he must be able to delete. `released` marks count as the policy's signatures say.
 */
export async function cleanRemains(
  repository: Repository,
  { backup, id, policyNames, isAdopted = false }: CleanRequest,
  lease: Lease,
  context: Pick<Context, 'clock' | 'host' | 'signing'>,
): Promise<boolean> {
  const name = { backup, id };
  await lease.assertHeld();
  const begin = await readBegin(repository, name);
  const marks = await readMarks(repository, name, trustedIn(context));
  const policy = begin?.policy ?? marks.findLast((mark) => mark.kind === 'released')?.policy ?? null;
  const keys = [...new Set([...(begin?.keys ?? []), ...releasedKeys(marks)])];
  if (policy === null) return false;
  if (!policyNames.includes(policy)) {
    throw guardError(`cannot clean ${backup}@${id}: it belongs to the policy ${policy}`);
  }
  if (begin !== undefined && !(await isDeserted(repository, begin, lease, context.host))) {
    const { lease: other, owner } = begin;
    throw guardError(`cannot clean ${backup}@${id}: lease ${other.number} of ${other.backup} is not over`, {
      hint: `process ${owner.pid} on ${owner.host} is storing it; \`bkp unlock ${other.backup}\` if it is gone`,
    });
  }
  if (begin?.upload !== undefined && !isAdopted && keptUntil(begin.upload) > context.clock.now().toISOString())
    return false;
  assertKeys(keys);
  const isReleased = marks.some((mark) => mark.kind === 'released' && !isCleaned(mark));
  if (await hasManifest(repository, name)) return false;
  // Somebody removed the manifest, and nobody released the snapshot: what is left may be all there is of it.
  if (!isReleased && (await hasVersions(repository, name))) return false;
  await assertUnlocked(repository, name, keys, context.clock);
  if (begin !== undefined && !(await claim(repository, begin, lease))) return false;
  const announced = new Set(releasedKeys(marks));
  if (keys.some((key) => !announced.has(key)) || announced.size === 0) {
    const data = { keys, reason: CLEANED, run: lease.owner.run };
    await addMark(repository, { ...name, kind: 'released', policy, data }, lease, context);
  }
  if (await hasManifest(repository, name)) return false;
  if (isReleased && (await hasVersions(repository, name))) await removeWhole(repository, manifestKey(backup, id));
  await removeArtifacts(repository, name, keys, lease);
  return true;
}

/** Announces the cleaning; false, with all as it was, where a manifest came in the meantime. */
async function claim(repository: Repository, begin: Begin, { owner, backup, number }: Lease): Promise<boolean> {
  const key = beginKey(begin.backup, begin.id);
  await repository.put(key, writeBegin({ ...begin, owner, lease: { backup, number }, cleaning: true }));
  if (!(await hasManifest(repository, begin))) return true;
  await repository.put(key, writeBegin(begin));
  return false;
}

/** True when nobody but the holder of `lease` can be at work on what a begin.json announces. */
export async function isDeserted(
  repository: Repository,
  begin: Begin,
  lease: Pick<Lease, 'backup' | 'number' | 'owner'>,
  host: Host,
): Promise<boolean> {
  if (begin.owner.run === lease.owner.run) return true;
  if (begin.lease.backup === lease.backup) return begin.lease.number < lease.number;
  return isLeaseOver(repository, begin.lease, host);
}

const hasManifest = async (repository: Repository, { backup, id }: SnapshotName): Promise<boolean> =>
  (await repository.stat(manifestKey(backup, id))) !== undefined;

/** Versions of a manifest are left, which says nothing of whether it stands there. */
export async function hasVersions(repository: Repository, { backup, id }: SnapshotName): Promise<boolean> {
  const versions = await keptVersions(repository);
  const all = versions === undefined ? [] : await versionsOfKey(versions, manifestKey(backup, id));
  return all.some(({ isMarker }) => !isMarker);
}

/** Removes listed artifacts, then begin.json; the lease is looked at before each. */
export async function removeArtifacts(
  repository: Repository,
  { backup, id }: SnapshotName,
  keys: readonly string[],
  lease: Lease,
): Promise<void> {
  for (const key of [...keys, 'begin.json']) {
    await lease.assertHeld();
    const at = snapshotFolder(backup, id) + key;
    if (key.endsWith('/')) await removeFolder(repository, at, () => lease.assertHeld());
    else await removeWhole(repository, at);
  }
}
