import { integrityError, notFoundError } from '../errors.ts';
import type { Repository } from '../repositories/repository.ts';
import type { SnapshotName } from '../snapshots/keys.ts';
import type { Manifest } from '../snapshots/manifest.ts';
import { readManifest } from '../snapshots/read-snapshot.ts';

/** The manifest of a snapshot that must be there and usable. */
export async function requireManifest(repository: Repository, { backup, id }: SnapshotName): Promise<Manifest> {
  const found = await readManifest(repository, { backup, id });
  if (found === undefined) throw notFoundError(`cannot read ${backup}@${id}: it is not in ${repository.location}`);
  if (!found.ok) throw integrityError(`cannot read ${backup}@${id} in ${repository.location}: ${found.message}`);
  return found.value;
}
