import type { SnapshotRecord } from '../snapshots/inventory.ts';
import { timeOfId } from '../snapshots/ids.ts';
import { isGood } from '../snapshots/standing.ts';

export type Selection = { readonly snapshot: SnapshotRecord } | { readonly problem: string };

/**
 * Finds the snapshot of one backup that a selector names: `latest` (the newest good one that is no safety snapshot and
 * was not adopted), `safety` (the newest safety snapshot), a day in the backup's time zone (the last good one of that
 * day), an id or the unique beginning of one (whatever its state). `snapshots` is sorted oldest first.
 */
export function selectSnapshot(snapshots: readonly SnapshotRecord[], selector: string, timezone: string): Selection {
  if (selector === 'latest') {
    const newest = snapshots.findLast((snapshot) => isGood(snapshot) && snapshot.kind === 'backup');
    return newest === undefined ? { problem: 'there is no good snapshot' } : { snapshot: newest };
  }
  if (selector === 'safety') {
    const newest = snapshots.findLast(
      (snapshot) => snapshot.kind === 'safety' && snapshot.status === 'created' && snapshot.unsigned === undefined,
    );
    return newest === undefined ? { problem: 'there is no safety snapshot' } : { snapshot: newest };
  }
  if (DAY.test(selector)) return selectDay(snapshots, selector, timezone);
  const exact = snapshots.filter((snapshot) => snapshot.id === selector);
  const matching = exact.length > 0 ? exact : snapshots.filter((snapshot) => snapshot.id.startsWith(selector));
  const [first, second] = matching;
  if (first === undefined) return { problem: `no snapshot id begins with ${selector}` };
  if (second !== undefined) return { problem: `${matching.length} snapshot ids begin with ${selector}` };
  return { snapshot: first };
}

/** True when a snapshot, gone or not, is one that an id or a day means. */
export function fitsSelector(id: string, selector: string, timezone: string): boolean {
  const at = timeOfId(id);
  return DAY.test(selector) ? at !== undefined && dayNames(timezone).format(at) === selector : id.startsWith(selector);
}

const DAY = /^\d{4}-\d{2}-\d{2}$/;

const dayNames = (timezone: string): Intl.DateTimeFormat =>
  new Intl.DateTimeFormat('en-CA', { timeZone: timezone, year: 'numeric', month: '2-digit', day: '2-digit' });

function selectDay(snapshots: readonly SnapshotRecord[], day: string, timezone: string): Selection {
  const dayOf = dayNames(timezone);
  const last = snapshots.findLast((snapshot) => isGood(snapshot) && dayOf.format(new Date(snapshot.startedAt)) === day);
  return last === undefined ? { problem: `there is no good snapshot of ${day} (${timezone})` } : { snapshot: last };
}
