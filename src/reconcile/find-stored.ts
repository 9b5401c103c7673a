import type { Context } from '../context.ts';
import { BkpError, notFoundError, usageError } from '../errors.ts';
import { readSnapshot } from '../snapshots/read-snapshot.ts';
import { recoverSnapshot } from '../snapshots/recover-snapshot.ts';
import type { SnapshotName } from '../snapshots/keys.ts';
import type { Repository } from '../repositories/repository.ts';
import { indexFolders, ownNames, viewBackup } from './backup-view.ts';
import { findSnapshot, type FoundSnapshot, type SnapshotPlace } from './find-snapshot.ts';
import type { Observation } from './observation.ts';
import type { Session } from './session.ts';

/**
 * Finds a snapshot for reading: like `findSnapshot`, and by its id also one whose manifest somebody removed while a
 * repository keeps versions of it. Where a repository keeps versions, those are read that the first manifest means.
 */
export async function findForReading(
  session: Session,
  observation: Observation,
  reference: string,
): Promise<FoundSnapshot> {
  const found = await findStored(session, observation, reference);
  const places: SnapshotPlace[] = [];
  for (const place of found.places) places.push(await inVersions(place));
  return { ...found, places };
}

/** A repository that cannot be asked now may not be needed: the snapshot may be read elsewhere. */
async function inVersions(place: SnapshotPlace): Promise<SnapshotPlace> {
  try {
    const recovered = await recoverSnapshot(place.repository, place.record);
    return recovered?.ok === true ? { ...place, repository: recovered.value.repository } : place;
  } catch (error) {
    if (!(error instanceof BkpError) || error.code === 'interrupted') throw error;
    return place;
  }
}

/** The same, with what is visible read as it stands there now: for who wants to know that it is right. */
export async function findStored(
  session: Session,
  observation: Observation,
  reference: string,
): Promise<FoundSnapshot> {
  try {
    return findSnapshot(session, observation, reference);
  } catch (error) {
    if (!(error instanceof BkpError) || error.code !== 'not-found') throw error;
    const removed = await findRemoved(session, observation, reference);
    if (removed === undefined) throw error;
    return removed;
  }
}

async function findRemoved(
  session: Session,
  observation: Observation,
  reference: string,
): Promise<FoundSnapshot | undefined> {
  const { policy } = session;
  const at = reference.indexOf('@');
  const selector = reference.slice(at + 1);
  const backups = policy.backups.filter((one) => at < 0 || ownNames(one).includes(reference.slice(0, at)));
  const matching = removedSnapshots(session, observation).filter(
    ({ id, backup }) => id.startsWith(selector) && backups.some((one) => ownNames(one).includes(backup)),
  );
  const [first] = matching;
  if (first === undefined || !/^\d{8}T/.test(selector)) return undefined;
  const { id } = first;
  if (matching.some((one) => one.id !== id))
    throw usageError(`cannot find snapshot ${reference}: several ids begin with it`);
  const backup = backups.find((one) => ownNames(one).includes(first.backup));
  if (backup === undefined) return undefined;
  const places: SnapshotPlace[] = [];
  for (const one of matching) {
    const place = await removedPlace(one, session.context);
    if (place !== undefined && ownNames(policy).includes(place.record.policy)) places.push(place);
  }
  if (places.length === 0)
    throw notFoundError(`cannot find snapshot ${reference}: the version of its manifest cannot be used`);
  return { backup, id, view: viewBackup(policy, backup, indexFolders(observation)), places };
}

/** A snapshot whose manifest was removed, in one repository. */
export interface RemovedSnapshot extends SnapshotName {
  readonly name: string;
  readonly repository: Repository;
}

/** Every snapshot whose manifest was removed while a repository that can be read keeps versions of it. */
export function removedSnapshots(session: Session, observation: Observation): readonly RemovedSnapshot[] {
  return observation.repositories.flatMap((observed): readonly RemovedSnapshot[] => {
    const repository = session.repositories.find(({ name }) => name === observed.name)?.repository;
    if (observed.state !== 'ready' || repository === undefined || repository === null) return [];
    return (observed.inventory.tampered ?? [])
      .filter(({ how }) => how === 'removed')
      .map(({ backup, id }) => ({ backup, id, name: observed.name, repository }));
  });
}

/** Where its versions are read; undefined where they cannot be used. */
export async function removedPlace(
  { name, repository, ...snapshot }: RemovedSnapshot,
  context: Pick<Context, 'signing'>,
): Promise<SnapshotPlace | undefined> {
  const recovered = await recoverSnapshot(repository, snapshot);
  if (recovered?.ok !== true) return undefined;
  const { missing, repository: pinned } = recovered.value;
  const found = await readSnapshot(pinned, snapshot, context);
  if (found?.ok !== true) return undefined;
  return { name, repository: pinned, record: { ...found.value.record, folderPresent: missing.length === 0 } };
}
