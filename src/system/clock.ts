import { performance } from 'node:perf_hooks';
import type { Clock } from '../context.ts';

/** The machine's own clocks. */
export const systemClock: Clock = {
  now: () => new Date(),
  monotonicMs: () => performance.now(),
};
