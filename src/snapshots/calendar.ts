/** The names of the calendar periods that hold an instant, as a time zone sees them. */
export interface CalendarPeriods {
  /** `2026-11-19T02+01:00`: the offset tells the two hours of a repeated one apart. */
  readonly hourly: string;
  readonly daily: string;
  /** ISO week: `2026-W47`. */
  readonly weekly: string;
  readonly monthly: string;
  readonly yearly: string;
}

const DAY_MS = 86_400_000;

/** Names the periods of instants in one time zone; fast enough for a hundred thousand. */
export function calendarOf(timezone: string): (at: Date) => CalendarPeriods {
  const offsetAt = offsetsOf(timezone);
  return (at) => {
    const offsetMs = offsetAt(at.getTime());
    const local = new Date(at.getTime() + offsetMs);
    const [date = '', time = ''] = local.toISOString().split('T');
    return {
      hourly: `${date}T${time.slice(0, 2)}${spellOffset(Math.round(offsetMs / 60_000))}`,
      daily: date,
      weekly: isoWeek(local),
      monthly: date.slice(0, -3),
      yearly: date.slice(0, -6),
    };
  };
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

const zones = new Map<string, (ms: number) => number>();

/**
 * The zone's distance from UTC. Asking Intl takes microseconds, so a day that begins and ends with the same offset is
 * asked for once.
 */
function offsetsOf(timezone: string): (ms: number) => number {
  const known = zones.get(timezone);
  if (known !== undefined) return known;
  const measure = offsetMeter(timezone);
  const atDayStart = new Map<number, number>();
  const startOffset = (day: number): number => {
    const seen = atDayStart.get(day);
    if (seen !== undefined) return seen;
    const offset = measure(day * DAY_MS);
    atDayStart.set(day, offset);
    return offset;
  };
  const offsetAt = (ms: number): number => {
    const day = Math.floor(ms / DAY_MS);
    const offset = startOffset(day);
    return startOffset(day + 1) === offset ? offset : measure(ms);
  };
  zones.set(timezone, offsetAt);
  return offsetAt;
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
