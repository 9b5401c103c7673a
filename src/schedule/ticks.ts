import { Cron } from 'croner';
import type { Schedule } from '../policy/resolved-policy.ts';

/** A capture that starts at most this long before a tick is made for it. */
const EARLY_MS = 5 * 60_000;

/** The newest tick at or before `now`; null when the schedule never had one. */
export function lastTick(schedule: Schedule, timezone: string, now: Date): Date | null {
  if (schedule.kind === 'every') return new Date(Math.floor(now.getTime() / schedule.everyMs) * schedule.everyMs);
  // croner looks strictly before the given second.
  const nextSecond = new Date((Math.floor(now.getTime() / 1000) + 1) * 1000);
  return cron(schedule.expression, timezone).previousRuns(1, nextSecond)[0] ?? null;
}

/**
 * The first tick after `now`; null when there is none. A cron time that a clock change skips runs right after the gap,
 * one that comes twice runs once.
 */
export function nextTick(schedule: Schedule, timezone: string, now: Date): Date | null {
  if (schedule.kind === 'every') return new Date((Math.floor(now.getTime() / schedule.everyMs) + 1) * schedule.everyMs);
  return cron(schedule.expression, timezone).nextRun(now);
}

/** The tick that a snapshot started at `now` satisfies: the last one, or the next when it is at most 5 minutes away. */
export function dueTick(schedule: Schedule, timezone: string, now: Date): Date | null {
  const next = nextTick(schedule, timezone, now);
  if (next !== null && next.getTime() - now.getTime() <= EARLY_MS) return next;
  return lastTick(schedule, timezone, now);
}

const crons = new Map<string, Cron>();

function cron(expression: string, timezone: string): Cron {
  const key = `${timezone} ${expression}`;
  const known = crons.get(key);
  if (known !== undefined) return known;
  const made = new Cron(expression, { timezone });
  crons.set(key, made);
  return made;
}
