import { isGood, verifiedAt } from '../snapshots/standing.ts';
import { snapshotFolder } from '../snapshots/keys.ts';
import { readManifest } from '../snapshots/read-snapshot.ts';
import type { Repository } from '../repositories/repository.ts';
import { foldersOf, type ListedFolders } from './earlier-files.ts';
import type { BackupExecution } from './execution.ts';
import { recordsOf } from './holder.ts';

export interface KnownBytes {
  /** Keys of artifacts by the SHA-256 of their stored bytes. */
  readonly keys: ReadonlyMap<string, string>;
  readonly folders: ListedFolders;
}

const NOTHING: KnownBytes = { keys: new Map(), folders: new Map() };

/**
 * What the newest verified snapshot of the backup holds in a repository: bytes that need not be sent there again. Nothing
 * where it is encrypted, since such bytes never come twice, or cannot be read: then all is sent.
 */
export async function knownBytes(
  execution: BackupExecution,
  name: string,
  repository: Repository,
): Promise<KnownBytes> {
  const newest = recordsOf(execution, name).findLast((record) => isGood(record) && verifiedAt(record) !== null);
  if (newest === undefined || newest.recipients !== undefined) return NOTHING;
  const manifest = await readManifest(repository, newest);
  if (manifest?.ok !== true) return NOTHING;
  const folder = snapshotFolder(newest.backup, newest.id);
  const keys = Object.values(manifest.value.targets).flatMap(({ artifacts }) =>
    artifacts.map(({ storedSha256, key }) => [storedSha256, folder + key] as const),
  );
  return { keys: new Map(keys), folders: foldersOf(repository, newest.backup, manifest.value) };
}
