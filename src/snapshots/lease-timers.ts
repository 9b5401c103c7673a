import { setTimeout } from 'node:timers/promises';
import { abortReason } from '../errors.ts';

/** How who holds a lease, or waits for one, lets time pass. A test that decides what happens when brings its own. */
export interface LeaseTimers {
  /** Resolves after so many milliseconds; throws why the signal was aborted. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
  /** Calls again and again until the function it gives is called. Does not keep the process alive. */
  every(ms: number, beat: () => void): () => void;
}

/** The timers of this process. */
export const leaseTimers: LeaseTimers = {
  wait: async (ms, signal) => {
    try {
      await setTimeout(Math.max(1, ms), undefined, { signal });
    } catch {
      throw abortReason(signal);
    }
  },
  every: (ms, beat) => {
    const timer = setInterval(beat, ms);
    timer.unref();
    return () => clearInterval(timer);
  },
};
