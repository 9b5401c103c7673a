import type { Retention } from '../policy/resolved-policy.ts';
import { applyRetention } from '../snapshots/retention.ts';
import type { SnapshotRecord } from '../snapshots/inventory.ts';
import { isGood } from '../snapshots/standing.ts';
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
  const good = view.good.map(({ record }) => ({ id: record.id, at: new Date(record.startedAt) }));
  const next = plansCreate ? [{ id: NEXT, at: now }] : [];
  const damaged = lostSnapshots(view).map((record) => ({ id: record.id, at: new Date(record.startedAt) }));
  const keep = (
    snapshots: readonly { id: string; at: Date }[],
    rules: Retention | null,
  ): ReadonlyMap<string, readonly string[]> => applyRetention(snapshots, rules, timezone);
  const rules = keep([...good, ...next], retention);
  return { rules, damagedRules: damaged.length === 0 ? rules : keep([...good, ...damaged, ...next], retention) };
}

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
  snapshot.kind !== 'safety' && snapshot.status === 'created' && !isGood(snapshot) && !good.has(snapshot.id);
