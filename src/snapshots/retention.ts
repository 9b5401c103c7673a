import type { Retention } from '../policy/resolved-policy.ts';
import { calendarOf, type CalendarPeriod } from './calendar.ts';

/** A good snapshot, as retention sees it. */
export interface DatedSnapshot {
  readonly id: string;
  readonly at: Date;
}

const PERIODS = ['hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const satisfies readonly CalendarPeriod[];

/**
 * The rules that keep each snapshot (`keepLast 2`, `daily 2026-11-19`, `within 14d`); a snapshot without an entry may
 * go. Give it good snapshots only. A calendar rule keeps the newest snapshot of each of the last n periods that hold
 * one, in the given time zone; `within` counts back from the newest. At least one snapshot is always kept, and keeping
 * only the kept ones changes nothing.
 */
export function applyRetention(
  snapshots: readonly DatedSnapshot[],
  retention: Retention | null,
  timezone: string,
): ReadonlyMap<string, readonly string[]> {
  const newestFirst = snapshots.toSorted(newerFirst);
  const rules = new Map<string, string[]>();
  const keep = (snapshot: DatedSnapshot, rule: string): void => {
    const known = rules.get(snapshot.id);
    if (known === undefined) rules.set(snapshot.id, [rule]);
    else known.push(rule);
  };
  if (retention === null) {
    for (const snapshot of newestFirst) keep(snapshot, 'no retention');
    return rules;
  }
  for (const snapshot of newestFirst.slice(0, retention.keepLast ?? 0))
    keep(snapshot, `keepLast ${retention.keepLast}`);
  keepByPeriod(newestFirst, retention, timezone, keep);
  keepWithin(newestFirst, retention.withinMs, keep);
  const newest = newestFirst[0];
  if (rules.size === 0 && newest !== undefined) keep(newest, 'last good');
  return rules;
}

type Keep = (snapshot: DatedSnapshot, rule: string) => void;

function keepByPeriod(newestFirst: readonly DatedSnapshot[], retention: Retention, timezone: string, keep: Keep): void {
  const wanted = PERIODS.filter((period) => (retention[period] ?? 0) > 0);
  if (wanted.length === 0) return;
  const calendar = calendarOf(timezone);
  const seen = new Map(wanted.map((period) => [period, new Set<string>()]));
  let open = wanted;
  for (const snapshot of newestFirst) {
    for (const period of open) {
      const held = seen.get(period);
      const key = calendar(snapshot.at, period);
      if (held === undefined || held.has(key)) continue;
      held.add(key);
      keep(snapshot, `${period} ${key}`);
    }
    open = open.filter((period) => (seen.get(period)?.size ?? 0) < (retention[period] ?? 0));
    if (open.length === 0) return;
  }
}

function keepWithin(newestFirst: readonly DatedSnapshot[], withinMs: number | null, keep: Keep): void {
  const newest = newestFirst[0];
  if (withinMs === null || newest === undefined) return;
  const rule = `within ${spell(withinMs)}`;
  for (const snapshot of newestFirst) {
    if (newest.at.getTime() - snapshot.at.getTime() > withinMs) return;
    keep(snapshot, rule);
  }
}

function newerFirst(a: DatedSnapshot, b: DatedSnapshot): number {
  return b.at.getTime() - a.at.getTime() || (a.id < b.id ? 1 : -1);
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
] as const;

/** A duration in the largest unit that spells it exactly. */
function spell(ms: number): string {
  const [unit, size] = UNITS.find(([, length]) => ms >= length && ms % length === 0) ?? UNITS[4];
  return `${ms / size}${unit}`;
}
