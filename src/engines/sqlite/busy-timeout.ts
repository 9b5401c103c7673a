import { parseDuration } from '../../duration.ts';
import type { TargetOf } from '../engine.ts';

const DEFAULT_MS = 30_000;

/** The target's `busyTimeout` in milliseconds, as far as SQLite can wait. */
export const busyTimeoutMs = ({ busyTimeout }: TargetOf<'sqlite'>): number =>
  Math.min(parseDuration(busyTimeout ?? '') ?? DEFAULT_MS, 2 ** 31 - 1);
