import { parseDuration } from '../../../duration.ts';
import type { PostgresTarget } from './connection.ts';

const LOCK_TIMEOUT_MS = 30_000;

/** How long a dump waits for a locked table. */
export const lockTimeoutMs = ({ lockTimeout }: PostgresTarget): number =>
  parseDuration(lockTimeout ?? '') ?? LOCK_TIMEOUT_MS;
