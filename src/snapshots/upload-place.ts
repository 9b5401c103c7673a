import type { Context } from '../context.ts';
import { guardError } from '../errors.ts';
import type { Repository } from '../repositories/repository.ts';
import { writeBegin, type UploadPlace } from './begin.ts';
import type { Lease } from './held-lease.ts';
import { beginKey, snapshotFolder, type SnapshotName } from './keys.ts';
import { assertKeys } from './manifest-codec.ts';

export interface UploadPlaceRequest extends SnapshotName {
  readonly policy: string;
  /** Below the folder: what the file will be stored as. */
  readonly key: string;
  readonly upload: UploadPlace;
}

/**
 * Makes a place for one file that is uploaded by URL: a folder with a begin.json that lists it and no manifest, so that it
 * is no snapshot and goes when nobody adopts it. Gives the repository key.
 */
export async function makeUploadPlace(
  repository: Repository,
  { backup, id, policy, key, upload }: UploadPlaceRequest,
  lease: Lease,
  { clock }: Pick<Context, 'clock'>,
): Promise<string> {
  assertKeys([key]);
  await lease.assertHeld();
  const begin = writeBegin({
    formatVersion: 1,
    policy,
    backup,
    id,
    owner: lease.owner,
    lease: { backup: lease.backup, number: lease.number },
    startedAt: clock.now().toISOString(),
    keys: [key],
    upload,
  });
  if (!(await repository.create(beginKey(backup, id), begin)))
    throw guardError(`cannot make a place to upload to: ${backup}@${id} is there already`);
  return snapshotFolder(backup, id) + key;
}
