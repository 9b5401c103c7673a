import { isGood, verifiedAt } from '../snapshots/standing.ts';
import { snapshotFolder } from '../snapshots/keys.ts';
import type { Repository } from '../repositories/repository.ts';
import type { BackupExecution } from './execution.ts';
import { recordsOf } from './holder.ts';
import { requireManifest } from './require-manifest.ts';

/** Keys of artifacts by the SHA-256 of their stored bytes. */
export type KnownBytes = ReadonlyMap<string, string>;

/** What the newest verified snapshot of the backup holds in a repository: bytes that need not be sent there again. */
export async function knownBytes(
  execution: BackupExecution,
  name: string,
  repository: Repository,
): Promise<KnownBytes> {
  const newest = recordsOf(execution, name).findLast((record) => isGood(record) && verifiedAt(record) !== null);
  if (newest === undefined) return new Map();
  const { targets } = await requireManifest(repository, newest);
  const folder = snapshotFolder(newest.backup, newest.id);
  return new Map(
    Object.values(targets).flatMap(({ artifacts }) =>
      artifacts.map(({ storedSha256, key }) => [storedSha256, folder + key] as const),
    ),
  );
}
