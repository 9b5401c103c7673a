import { usageError } from '../errors.ts';
import { durationOption } from './durations.ts';
import type { OptionValues } from './option-values.ts';

const HOUR_MS = 3_600_000;
/** No store signs for longer. */
const LONGEST_MS = 7 * 24 * HOUR_MS;

/** How long a printed URL works: an hour, or what `--expires` says. */
export function urlValidity(options: OptionValues): number {
  const validMs = durationOption(options, 'expires', '--expires') ?? HOUR_MS;
  if (validMs < 1000 || validMs > LONGEST_MS)
    throw usageError('cannot sign a URL for that long', { hint: 'between 1s and 7d' });
  return validMs;
}

/** A word of a POSIX shell. */
export const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
