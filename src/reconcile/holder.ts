import { guardError, notFoundError } from '../errors.ts';
import type { Repository } from '../repositories/repository.ts';
import type { Lease } from '../snapshots/held-lease.ts';
import type { SnapshotRecord } from '../snapshots/inventory.ts';
import { indexFolders, ownNames } from './backup-view.ts';
import type { BackupExecution } from './execution.ts';
import type { MarkedSnapshot } from './require-manifest.ts';
import type { Step } from './step.ts';

/** The repository a step writes to, with the lease that allows it. */
export function writable(
  execution: BackupExecution,
  name: string,
): { readonly repository: Repository; readonly lease: Lease } {
  const held = execution.repositories.get(name);
  const problem = execution.unwritable.get(name);
  if (problem !== undefined) throw problem;
  if (held === undefined) throw guardError(`cannot write to ${name}: no lease is held there`);
  return held;
}

/** A repository for reading only. */
export function readable(execution: BackupExecution, name: string): Repository {
  const found = execution.session.repositories.find((opened) => opened.name === name)?.repository;
  if (found === undefined || found === null) throw notFoundError(`cannot read from ${name}: it is not open`);
  return found;
}

/** Id of the snapshot a step is about, also when an earlier step of this run made it. */
export function snapshotOf(execution: BackupExecution, step: Step): string {
  const id = step.snapshot ?? (step.snapshotFrom === null ? undefined : execution.made.get(step.snapshotFrom));
  if (id === undefined) throw notFoundError(`cannot ${step.action} at ${step.address}: the snapshot was not made`);
  return id;
}

/** Folder name of a snapshot in a repository: the backup's name now, or an earlier one it was stored under. */
export function folderOf(execution: BackupExecution, repository: string, id: string): string {
  return recordOf(execution, repository, id)?.backup ?? execution.name;
}

/** A snapshot in a repository with the marks that the reading under the lease found; none for one made since. */
export const markedSnapshot = (execution: BackupExecution, repository: string, id: string): MarkedSnapshot => ({
  backup: folderOf(execution, repository, id),
  id,
  marks: recordOf(execution, repository, id)?.marks ?? [],
});

/** What the reading under the lease knows of a snapshot; undefined for one made since. */
export const recordOf = (execution: BackupExecution, repository: string, id: string): SnapshotRecord | undefined =>
  recordsOf(execution, repository).find((snapshot) => snapshot.id === id);

/** Every snapshot of the backup in a repository, as read under the lease. */
export function recordsOf(
  { session, backup, name, observation }: BackupExecution,
  repository: string,
): readonly SnapshotRecord[] {
  const snapshots = indexFolders(observation).get(repository)?.snapshots;
  const folders = backup === undefined ? [name] : ownNames(backup);
  const policies = ownNames(session.policy);
  return folders.flatMap((folder) => snapshots?.get(folder) ?? []).filter(({ policy }) => policies.includes(policy));
}
