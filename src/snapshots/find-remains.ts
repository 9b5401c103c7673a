import type { Repository } from '../repositories/repository.ts';
import { keptUntil, type Begin } from './begin.ts';
import type { HeldLease, MarkRecord, Remains } from './inventory.ts';
import { snapshotFolder, type SnapshotName } from './keys.ts';
import { readMarks, releasedKeys } from './marks.ts';
import { findObstruction } from './object-lock.ts';
import type { BackupContent } from './read-backup.ts';
import { readBegin } from './remove-remains.ts';
import type { TrustedKeys } from './trust.ts';

/** Folders of artifacts without a manifest, each with the list of keys that allows to remove it, or none. */
export async function foundRemains(
  repository: Repository,
  { backup, uncommitted, marks }: BackupContent,
  inForce: readonly HeldLease[],
  trusted: TrustedKeys,
): Promise<readonly Remains[]> {
  const found: Remains[] = [];
  for (const id of uncommitted) {
    const remains = await describeRemains(repository, backup, id, marks.get(id) ?? [], inForce, trusted);
    if (remains !== undefined) found.push(remains);
  }
  return found;
}

async function describeRemains(
  repository: Repository,
  backup: string,
  id: string,
  marks: readonly MarkRecord[],
  inForce: readonly HeldLease[],
  trusted: TrustedKeys,
): Promise<Remains | undefined> {
  const folder = snapshotFolder(backup, id);
  // A writer that died between making the folder and begin.json left nothing in it.
  if (!(await holdsObjects(repository, folder))) return undefined;
  const begin = await readBegin(repository, { backup, id });
  const released = releasedKeys(marks);
  if (begin === undefined && released.length === 0) {
    return { backup, id, kind: 'unknown', policy: null, keys: [], inProgress: false };
  }
  const keys = [...new Set([...(begin?.keys ?? []), ...released])].toSorted();
  const inProgress = inForce.some((lease) => isWorkOf(lease, begin, marks));
  const obstruction = inProgress ? null : await findObstruction(repository, { backup, id }, keys);
  const policy = begin?.policy ?? (await policyOfRelease(repository, { backup, id }, trusted));
  return {
    backup,
    id,
    kind: released.length > 0 ? 'released' : 'begun',
    policy,
    keys: keys.map((key) => folder + key),
    inProgress,
    ...(begin?.upload === undefined ? {} : { keptUntil: keptUntil(begin.upload) }),
    ...(obstruction === null ? {} : { lockedUntil: obstruction.until }),
  };
}

async function holdsObjects(repository: Repository, folder: string): Promise<boolean> {
  for await (const page of repository.pages(folder)) if (page.length > 0) return true;
  return false;
}

const policyOfRelease = async (
  repository: Repository,
  name: SnapshotName,
  trusted: TrustedKeys,
): Promise<string | null> =>
  (await readMarks(repository, name, trusted)).findLast((mark) => mark.kind === 'released')?.policy ?? null;

/** The run that holds a lease is storing or removing it right now. */
const isWorkOf = ({ owner }: HeldLease, begin: Begin | undefined, marks: readonly MarkRecord[]): boolean =>
  begin?.owner.run === owner.run || marks.some(({ kind, data }) => kind === 'released' && data['run'] === owner.run);
