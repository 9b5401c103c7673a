import { BkpError, notFoundError } from '../errors.ts';
import type { Manifest } from '../snapshots/manifest.ts';
import type { FoundSnapshot, SnapshotPlace } from './find-snapshot.ts';
import { requireManifest } from './require-manifest.ts';
import { unsealManifest } from './seal-manifest.ts';
import { stoppable, type Session } from './session.ts';

/**
 * The whole manifest of a snapshot, from the first repository where it is that everybody may read or an identity opens.
 * Throws `usage`, naming the recipients of the first, where there is none; or what `read` threw, `guard` where one does not count.
 */
export async function openManifest(
  session: Session,
  { backup, id, places }: FoundSnapshot,
  read: (place: SnapshotPlace) => Promise<Manifest> = ({ repository, record }) => requireManifest(repository, record),
): Promise<{ readonly place: SnapshotPlace; readonly manifest: Manifest }> {
  const refusals: unknown[] = [];
  for (const place of places) {
    try {
      return { place, manifest: await unsealManifest(await read(place), stoppable(session)) };
    } catch (error) {
      if (!(error instanceof BkpError) || (error.code !== 'usage' && error.code !== 'guard')) throw error;
      refusals.push(error);
    }
  }
  throw refusals[0] ?? notFoundError(`cannot read ${backup.name}@${id}: no repository has it`);
}
