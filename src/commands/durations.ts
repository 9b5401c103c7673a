import { usageError } from '../errors.ts';
import { parseDuration } from '../duration.ts';
import type { OptionValues } from './option-values.ts';

/** A duration flag in milliseconds, or undefined when it was not given. `0s` is zero. */
export function durationOption(options: OptionValues, name: string, flag: string): number | undefined {
  const text = options.text(name);
  if (text === undefined) return undefined;
  const ms = /^0[smhdw]?$/.test(text) ? 0 : parseDuration(text);
  if (ms === undefined)
    throw usageError(`cannot read ${flag} ${text}: not a duration`, { hint: 'write it like 30s, 5m, 24h or 7d' });
  return ms;
}

/** How long to wait for a lease. */
export const lockTimeout = (options: OptionValues): number =>
  durationOption(options, 'lockTimeout', '--lock-timeout') ?? 30_000;
