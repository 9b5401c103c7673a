import type { Context } from '../context.ts';
import { guardError, notFoundError } from '../errors.ts';
import type { Repository } from '../repositories/repository.ts';
import type { Lease } from './held-lease.ts';
import { manifestKey, type SnapshotName } from './keys.ts';
import { removeWhole } from './kept-versions.ts';
import type { Manifest } from './manifest.ts';
import { artifactKeys } from './manifest-codec.ts';
import { addMark } from './marks.ts';
import { assertUnlocked } from './object-lock.ts';
import { readSnapshot, type StoredSnapshot } from './read-snapshot.ts';
import { readBegin, removeArtifacts } from './remove-remains.ts';
import { recoverSnapshot } from './recover-snapshot.ts';
import { protection } from './standing.ts';

export interface ReleaseRequest extends SnapshotName {
  /** Own policy names: snapshots of others are never touched. */
  readonly policyNames: readonly string[];
  /** Reason code or sentence, kept in the mark. */
  readonly reason: string;
  /** Also where the policy asks for a signature that it does not have: a person asked for it by its full name. */
  readonly acceptUnsigned?: boolean;
  /** Also when it is protected. */
  readonly force?: boolean;
}

/**
 * Lets a snapshot go: a `released` mark with every key, then the manifest, then the artifacts, then begin.json. Looks
 * at the lease before every step. Throws a `guard` error when the snapshot
 * is protected, unreadable, or of another policy. That another good one stays
 * is for the caller to see to.
 */
export async function releaseSnapshot(
  repository: Repository,
  request: ReleaseRequest,
  lease: Lease,
  context: Pick<Context, 'clock' | 'host' | 'signing'>,
): Promise<void> {
  const { backup, id } = request;
  await lease.assertHeld();
  const { manifest, keys } = await assertReleasable(repository, request, context);
  const data = { keys, reason: request.reason, run: lease.owner.run };
  await addMark(repository, { backup, id, kind: 'released', policy: manifest.policy, data }, lease, context);
  await lease.assertHeld();
  await removeWhole(repository, manifestKey(backup, id));
  await removeArtifacts(repository, { backup, id }, keys, lease);
}

/** What `releaseSnapshot` looks at before its first step, for who has more than one to let go: throws as it does. */
export async function assertReleasable(
  repository: Repository,
  request: ReleaseRequest,
  context: Pick<Context, 'clock' | 'signing'>,
): Promise<{ readonly manifest: Manifest; readonly keys: readonly string[] }> {
  const { manifest } = await removable(repository, request, context);
  const keys = await keysOf(repository, manifest);
  await assertUnlocked(repository, request, keys, context.clock);
  return { manifest, keys };
}

async function removable(
  repository: Repository,
  request: ReleaseRequest,
  context: Pick<Context, 'signing'>,
): Promise<StoredSnapshot> {
  const { backup, id, policyNames } = request;
  const cannot = `cannot remove ${backup}@${id} from ${repository.location}`;
  const found =
    (await readSnapshot(repository, { backup, id }, context)) ??
    (await readRecovered(repository, { backup, id }, context));
  if (found === undefined) throw notFoundError(`${cannot}: it is not there`);
  if (!found.ok) {
    throw guardError(`${cannot}: its manifest cannot be used: ${found.message}`, {
      hint: 'it is left alone; see `bkp status`',
    });
  }
  const { manifest, marks, record } = found.value;
  if (record.unsigned !== undefined && request.acceptUnsigned !== true) {
    throw guardError(`${cannot}: its manifest does not count: ${record.unsigned}`, {
      hint: `\`bkp sign ${backup}@${id}\` adopts it`,
    });
  }
  if (!policyNames.includes(manifest.policy))
    throw guardError(`${cannot}: it belongs to the policy ${manifest.policy}`);
  const guarded = protection({ marks });
  if (guarded !== null && request.force !== true) {
    throw guardError(`${cannot}: it is protected${guarded.reason === '' ? '' : `: ${guarded.reason}`}`, {
      hint: `\`bkp unprotect ${backup}@${id}\` allows it`,
    });
  }
  return found.value;
}

/** One whose manifest somebody removed: its versions are what is to go. */
async function readRecovered(
  repository: Repository,
  name: SnapshotName,
  context: Pick<Context, 'signing'>,
): Promise<Awaited<ReturnType<typeof readSnapshot>>> {
  const recovered = await recoverSnapshot(repository, name);
  return recovered?.ok === true ? readSnapshot(recovered.value.repository, name, context) : recovered;
}

/** Everything the snapshot may have left: what its manifest lists, and what begin.json lists besides (failed targets). */
async function keysOf(repository: Repository, manifest: Manifest): Promise<readonly string[]> {
  const begin = await readBegin(repository, manifest);
  return [...new Set([...artifactKeys(manifest), ...(begin?.keys ?? [])])].toSorted();
}
