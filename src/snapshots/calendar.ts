/** A calendar period that retention counts. */
export type CalendarPeriod = 'hourly' | 'daily' | 'weekly' | 'monthly' | 'yearly';

/** Names the period that holds an instant: `2026-11-19T02+01:00`, `2026-11-19`, `2026-W47` (ISO), `2026-11`, `2026`. */
export type Calendar = (at: Date, period: CalendarPeriod) => string;

type DayNames = Readonly<Record<Exclude<CalendarPeriod, 'hourly'>, string>>;

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** The calendar of a time zone; fast enough for a hundred thousand instants. */
export function calendarOf(timezone: string): Calendar {
  const known = calendars.get(timezone);
  if (known !== undefined) return known;
  const made = makeCalendar(timezone);
  calendars.set(timezone, made);
  return made;
}

const calendars = new Map<string, Calendar>();

function makeCalendar(timezone: string): Calendar {
  const offsetAt = offsetsOf(timezone);
  const days = new Map<number, DayNames>();
  const namesOf = (day: number): DayNames => {
    const known = days.get(day);
    if (known !== undefined) return known;
    const names = nameDay(new Date(day * DAY_MS));
    days.set(day, names);
    return names;
  };
  return (at, period) => {
    const offsetMs = offsetAt(at.getTime());
    const local = at.getTime() + offsetMs;
    const names = namesOf(Math.floor(local / DAY_MS));
    if (period !== 'hourly') return names[period];
    // The offset tells the two hours of a repeated one apart.
    return `${names.daily}T${two(Math.floor(local / HOUR_MS) % 24)}${spellOffset(Math.round(offsetMs / 60_000))}`;
  };
}

function nameDay(local: Date): DayNames {
  const date = local.toISOString().slice(0, 10);
  return { daily: date, weekly: isoWeek(local), monthly: date.slice(0, 7), yearly: date.slice(0, 4) };
}

/** The ISO week of a local day: weeks start on Monday and belong to the year of their Thursday. */
function isoWeek(local: Date): string {
  const thursday = new Date(local.getTime() + (3 - ((local.getUTCDay() + 6) % 7)) * DAY_MS);
  const week = Math.floor((thursday.getTime() - Date.UTC(thursday.getUTCFullYear(), 0, 1)) / DAY_MS / 7) + 1;
  return `${thursday.getUTCFullYear()}-W${two(week)}`;
}

function spellOffset(minutes: number): string {
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

const two = (value: number): string => String(value).padStart(2, '0');

/**
 * The zone's distance from UTC. Asking Intl takes microseconds, so a day that begins and ends with the same offset is
 * asked for once.
 */
function offsetsOf(timezone: string): (ms: number) => number {
  const measure = offsetMeter(timezone);
  const atDayStart = new Map<number, number>();
  const startOffset = (day: number): number => {
    const seen = atDayStart.get(day);
    if (seen !== undefined) return seen;
    const offset = measure(day * DAY_MS);
    atDayStart.set(day, offset);
    return offset;
  };
  return (ms) => {
    const day = Math.floor(ms / DAY_MS);
    const offset = startOffset(day);
    return startOffset(day + 1) === offset ? offset : measure(ms);
  };
}

function offsetMeter(timezone: string): (ms: number) => number {
  const format = new Intl.DateTimeFormat('en-CA', {
    timeZone: timezone,
    calendar: 'iso8601',
    numberingSystem: 'latn',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  });
  return (ms) => {
    const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = format.format(ms).split(/\D+/).map(Number);
    return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(ms / 1000) * 1000;
  };
}
