import { notFoundError, usageError } from '../errors.ts';
import { nearest } from '../policy/did-you-mean.ts';
import type { ResolvedBackup } from '../policy/resolved-policy.ts';
import type { Repository } from '../repositories/repository.ts';
import type { SnapshotRecord } from '../snapshots/inventory.ts';
import { isGood } from '../snapshots/standing.ts';
import { byStart, indexFolders, viewBackup, type BackupView } from './backup-view.ts';
import type { Observation } from './observation.ts';
import { selectSnapshot } from './select-snapshot.ts';
import type { Session } from './session.ts';

/** A snapshot that a person named, and every repository that has it. */
export interface FoundSnapshot {
  readonly backup: ResolvedBackup;
  readonly id: string;
  readonly view: BackupView;
  /** Where it is, those where it is good first, in policy order. */
  readonly places: readonly SnapshotPlace[];
}

export interface SnapshotPlace {
  readonly name: string;
  readonly repository: Repository;
  readonly record: SnapshotRecord;
}

/**
 * Finds what `backup@selector` names: `kong@latest`, `kong@2026-11-19`, `kong@<id>`; also an id, or its unique beginning,
 * without a backup. Throws `usage` for an unknown backup, `not-found` for a snapshot that is not there.
 */
export function findSnapshot(session: Session, observation: Observation, reference: string): FoundSnapshot {
  const { policy } = session;
  const at = reference.indexOf('@');
  const folders = indexFolders(observation);
  const views = policy.backups.map((backup) => viewBackup(policy, backup, folders));
  if (at < 0) {
    const matching = views.flatMap((view) => placesIn(session, view, reference));
    const [first] = matching;
    if (first === undefined)
      throw notFoundError(`cannot find snapshot ${reference}: no id begins with it`, {
        hint: 'name it like backup@latest, backup@2026-11-19 or by its id; `bkp list` shows all',
      });
    if (new Set(matching.map(({ id }) => id)).size > 1)
      throw usageError(`cannot find snapshot ${reference}: several ids begin with it`);
    return first;
  }
  const name = reference.slice(0, at);
  const view = views.find((one) => one.backup.name === name || one.backup.formerly.includes(name));
  if (view === undefined) {
    const near = nearest(
      name,
      policy.backups.map((backup) => backup.name),
    );
    throw usageError(`cannot find snapshot ${reference}: there is no backup ${name}`, {
      hint:
        near === undefined
          ? `backups are ${policy.backups.map((backup) => backup.name).join(', ')}`
          : `did you mean ${near}@${reference.slice(at + 1)}?`,
    });
  }
  const [found] = placesIn(session, view, reference.slice(at + 1));
  if (found !== undefined) return found;
  const selected = selectSnapshot(allOf(view), reference.slice(at + 1), view.backup.timezone);
  throw notFoundError(
    `cannot find snapshot ${reference}: ${'problem' in selected ? selected.problem : 'it is in no repository that can be read'}`,
    { hint: unreadable(observation) },
  );
}

function placesIn(session: Session, view: BackupView, selector: string): readonly FoundSnapshot[] {
  const selected = selectSnapshot(allOf(view), selector, view.backup.timezone);
  if ('problem' in selected) return [];
  const { id } = selected.snapshot;
  const places = view.repositories.flatMap(({ name, snapshots, unsigned }): readonly SnapshotPlace[] => {
    const repository = session.repositories.find((opened) => opened.name === name)?.repository;
    const record = snapshots.get(id) ?? unsigned.get(id);
    return repository === undefined || repository === null || record === undefined
      ? []
      : [{ name, repository, record }];
  });
  const sorted = places.toSorted((a, b) => Number(isGood(b.record)) - Number(isGood(a.record)));
  return [{ backup: view.backup, id, view, places: sorted }];
}

/** Every snapshot of a backup once, good copies before others, oldest first. */
function allOf(view: BackupView): readonly SnapshotRecord[] {
  const all = new Map<string, SnapshotRecord>();
  for (const { snapshots, unsigned } of view.repositories) {
    for (const [id, record] of [...snapshots, ...unsigned]) {
      if (!all.has(id) || isGood(record)) all.set(id, record);
    }
  }
  return [...all.values()].toSorted(byStart);
}

function unreadable(observation: Observation): string {
  const out = observation.repositories.filter((repository) => repository.state !== 'ready').map(({ name }) => name);
  return out.length === 0 ? '`bkp list` shows all snapshots' : `${out.join(', ')} cannot be read`;
}
