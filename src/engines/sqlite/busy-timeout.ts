import type { TargetOf } from '../engine.ts';

const DEFAULT_MS = 30_000;
const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** The target's `busyTimeout` in milliseconds, as far as SQLite can wait. */
export function busyTimeoutMs(target: TargetOf<'sqlite'>): number {
  const match = /^(\d+)([smhdw])$/.exec(target.busyTimeout ?? '');
  if (match === null) return DEFAULT_MS;
  return Math.min(Number(match[1]) * (UNIT_MS[match[2] ?? ''] ?? 0), 2 ** 31 - 1);
}
