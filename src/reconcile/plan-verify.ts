import type { SnapshotRecord } from '../snapshots/inventory.ts';
import { deepVerifiedAt, isGood, newestMark, verifiedAt } from '../snapshots/standing.ts';
import type { BackupRepository, BackupView } from './backup-view.ts';
import { draft, stepKey, type Draft } from './draft.ts';
import { formatDuration } from './phrases.ts';
import { reason, type Reason } from './reasons.ts';

/**
 * Verifications that are due in one repository: a snapshot never hashed since it was stored is due at once, later ones
 * after `every`; the engine's own check after `deep`, counted from the capture at first.
 */
export function planVerifications(
  view: BackupView,
  repository: BackupRepository,
  kept: ReadonlySet<string>,
  now: Date,
): readonly Draft[] {
  const { everyMs, deepEveryMs } = view.backup.verify;
  if (everyMs === null && deepEveryMs === null) return [];
  return [...repository.snapshots.values()]
    .filter((snapshot) => kept.has(snapshot.id) && isGood(snapshot))
    .flatMap((snapshot) => {
      const due = dueVerification(view, snapshot, now);
      return due === null ? [] : [verifyStep(view, repository.name, snapshot, due)];
    });
}

function verifyStep(view: BackupView, repository: string, snapshot: SnapshotRecord, due: Reason): Draft {
  return draft(view.backup, {
    action: 'verify',
    repository,
    snapshot: snapshot.id,
    kind: snapshot.kind,
    targets: Object.keys(snapshot.targets),
    estimate: { readBytes: snapshot.storedBytes, writeBytes: 0 },
    reason: due,
    source: view.backup.sources['verify'] ?? view.backup.source,
  });
}

/** The first verification of every snapshot that this plan stores, once it is stored. */
export function planFirstVerifications(view: BackupView, stored: readonly Draft[], now: Date): readonly Draft[] {
  return stored.flatMap((step) => {
    const due = dueOnceStored(view, step, now);
    if (due === null) return [];
    return [
      draft(view.backup, {
        action: 'verify',
        repository: step.repository,
        snapshot: step.snapshot,
        snapshotFrom: step.action === 'create' ? stepKey(step) : step.snapshotFrom,
        kind: step.kind,
        targets: step.targets,
        dependsOn: [stepKey(step)],
        estimate: { readBytes: step.estimate.writeBytes, writeBytes: 0 },
        reason: due,
        source: view.backup.sources['verify'] ?? view.backup.source,
      }),
    ];
  });
}

/** What is due for a stored snapshot: a copy comes without marks, a replaced one was hashed by the step itself. */
function dueOnceStored(view: BackupView, step: Draft, now: Date): Reason | null {
  const record = view.good.find(({ record: { id } }) => id === step.snapshot)?.record;
  if (record !== undefined) {
    const here = view.repositories.find(({ name }) => name === step.repository)?.snapshots.get(record.id);
    const deep = newestMark(here?.marks ?? [], 'damaged')?.data['deep'] === true;
    const before = here?.marks ?? [];
    // A mark is later than all that the snapshot has, also where the clock of the run that set them was ahead.
    const at = new Date(Math.max(now.getTime(), ...before.map((mark) => Date.parse(mark.at) + 1))).toISOString();
    const verified = { kind: 'verified' as const, at, data: { deep } };
    const marks = step.action === 'replace' ? [...before, verified] : [];
    const due = dueVerification(view, { ...record, marks, folderPresent: true }, now);
    if (due === null || due.data['deep'] === true) return due;
  } else if (view.backup.verify.everyMs === null) return null;
  return reason('verify-due', 'stored by this plan, not hashed since', { deep: false });
}

function dueVerification(view: BackupView, snapshot: SnapshotRecord, now: Date): Reason | null {
  const { everyMs, deepEveryMs } = view.backup.verify;
  const age = (iso: string): number => now.getTime() - Date.parse(iso);
  const deepAge = age(deepVerifiedAt(snapshot) ?? snapshot.finishedAt);
  if (deepEveryMs !== null && deepAge >= deepEveryMs) {
    return reason(
      'verify-due',
      `the engine's own check is due: last ${formatDuration(deepAge)} ago, limit ${formatDuration(deepEveryMs)}`,
      { deep: true },
    );
  }
  if (everyMs === null) return null;
  const last = verifiedAt(snapshot);
  if (last === null) return reason('verify-due', 'never verified since it was stored', { deep: false });
  if (age(last) < everyMs) return null;
  return reason('verify-due', `last verified ${formatDuration(age(last))} ago, limit ${formatDuration(everyMs)}`, {
    deep: false,
  });
}
