import { applyRetention, type DatedSnapshot } from '../snapshots/retention.ts';
import type { SnapshotRecord } from '../snapshots/inventory.ts';
import { isBeingRemoved, isGood } from '../snapshots/standing.ts';
import type { BackupView } from './backup-view.ts';

/** Stands for the snapshot that this plan makes. */
export const NEXT = 'next';

export interface KeptByRules {
  /** Rules that keep each snapshot; absent means no rule does. The planned snapshot is under `next`. */
  readonly rules: ReadonlyMap<string, readonly string[]>;
  /** The same, had the damaged snapshots without a good copy been good: what they still stand for. */
  readonly damagedRules: ReadonlyMap<string, readonly string[]>;
}

/** Retention over the union of good snapshots of a backup, the planned one (made at `now`) included. */
export function planRetention(view: BackupView, plansCreate: boolean, now: Date): KeptByRules {
  const { retention, timezone } = view.backup;
  const good = view.good.map(({ record }) => dated(record));
  const next = plansCreate ? [{ id: NEXT, at: now }] : [];
  const damaged = lostSnapshots(view).map(dated);
  const keep = (snapshots: readonly DatedSnapshot[]): ReadonlyMap<string, readonly string[]> => {
    const early = snapshots.filter(({ at }) => at > now).map(({ id }) => [id, [FROM_LATER]] as const);
    const past = snapshots.filter(({ at }) => at <= now);
    return new Map([...applyRetention(past, retention, timezone), ...early]);
  };
  const rules = keep([...good, ...next]);
  return { rules, damagedRules: damaged.length === 0 ? rules : keep([...good, ...damaged, ...next]) };
}

/** A clock ran ahead, or runs behind now: such a snapshot stays until its time has come, and takes no other's place. */
const FROM_LATER = 'made later than now';

const dated = ({ id, startedAt }: SnapshotRecord): DatedSnapshot => ({ id, at: new Date(startedAt) });

/** Whole snapshots that are damaged in every readable repository that has them. */
function lostSnapshots(view: BackupView): readonly SnapshotRecord[] {
  const good = new Set(view.good.map(({ record }) => record.id));
  const lost = new Map<string, SnapshotRecord>();
  for (const repository of view.repositories) {
    for (const snapshot of repository.snapshots.values()) {
      if (isLost(snapshot, good)) lost.set(snapshot.id, snapshot);
    }
  }
  return [...lost.values()];
}

const isLost = (snapshot: SnapshotRecord, good: ReadonlySet<string>): boolean =>
  snapshot.kind !== 'safety' &&
  snapshot.status === 'created' &&
  !isGood(snapshot) &&
  !isBeingRemoved(snapshot) &&
  !good.has(snapshot.id);
