const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
const LONGEST_MS = 100 * 366 * 86_400_000;

/** Milliseconds of `90s`, `5m`, `26h`, `7d` or `2w`; undefined for anything else, for zero, and for more than a century. */
export function parseDuration(text: string): number | undefined {
  const match = /^([0-9]{1,12})([smhdw])$/.exec(text);
  if (match === null) return undefined;
  const milliseconds = Number(match[1]) * (UNIT_MS[match[2] ?? ''] ?? Number.NaN);
  return milliseconds > 0 && milliseconds <= LONGEST_MS ? milliseconds : undefined;
}

/** A length of time for people: the largest unit that divides it. */
export function durationText(milliseconds: number): string {
  for (const unit of ['d', 'h', 'm', 's']) {
    const size = UNIT_MS[unit] ?? 1;
    if (milliseconds >= size && milliseconds % size === 0) return `${milliseconds / size}${unit}`;
  }
  return `${Math.round(milliseconds / 1000)}s`;
}
