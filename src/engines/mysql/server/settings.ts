import { parseDuration } from '../../../duration.ts';
import type { MysqlTarget } from './connection.ts';

const LOCK_TIMEOUT_MS = 30_000;

/** How long to wait for a table that somebody uses, in whole seconds as the server takes them. */
export const lockTimeoutSeconds = ({ lockTimeout }: Pick<MysqlTarget, 'lockTimeout'>): number =>
  Math.max(1, Math.ceil((parseDuration(lockTimeout ?? '') ?? LOCK_TIMEOUT_MS) / 1000));
