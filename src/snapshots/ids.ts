/** Digits and lower-case letters that cannot be mistaken for another: sorted as their values are. */
const BASE32 = '0123456789abcdefghjkmnpqrstvwxyz';

const PATTERN = /^\d{8}T\d{2}[0-5]\d[0-5]\dZ-[0-9a-z]{8}$/;

/**
 * A snapshot or run id, `20261119T020000Z-k3x9q2aa`: the second of its start, then eight base32 characters, of which
 * the first two are the milliseconds and the rest is random. Ids of different milliseconds sort by time.
 */
export function makeId(at: Date, random: Uint8Array): string {
  const [seconds = '', fraction = '0'] = at
    .toISOString()
    .replace(/[-:]|Z$/g, '')
    .split('.');
  const milliseconds = Number(fraction);
  const tail = Array.from({ length: 6 }, (_, index) => base32((random[index] ?? 0) & 31)).join('');
  return `${seconds}Z-${base32(milliseconds >> 5)}${base32(milliseconds & 31)}${tail}`;
}

/** The time in an id; undefined when it is none. Ids of other programs may hold anything where milliseconds belong. */
export function timeOfId(id: string): Date | undefined {
  if (!PATTERN.test(id)) return undefined;
  const part = (start: number, end: number): number => Number(id.slice(start, end));
  const [month, day, hour] = [part(4, 6), part(6, 8), part(9, 11)];
  const seconds = Date.UTC(part(0, 4), month - 1, day, hour, part(11, 13), part(13, 15));
  const at = new Date(seconds);
  // Date.UTC turns the 31st of June into the first of July and years below 100 into later ones.
  const isReal = at.getUTCMonth() === month - 1 && at.getUTCDate() === day && at.getUTCHours() === hour;
  if (!isReal || at.getUTCFullYear() !== part(0, 4)) return undefined;
  const high = BASE32.indexOf(id.charAt(17));
  const low = BASE32.indexOf(id.charAt(18));
  return new Date(seconds + (high < 0 || low < 0 ? 0 : Math.min(999, high * 32 + low)));
}

const base32 = (value: number): string => BASE32.charAt(value);
