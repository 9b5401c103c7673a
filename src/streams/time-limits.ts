import type { Context } from '../context.ts';
import { targetError } from '../errors.ts';

export interface TimeLimits {
  /** Longest time without a sign of progress; null for none. */
  readonly idleTimeoutMs: number | null;
  /** Longest time for the whole; null for none. */
  readonly timeoutMs: number | null;
}

/**
 * Runs work under time limits: it gets a context whose signal is aborted, with the error that is thrown then, when one
 * passes, and a function to call at every sign of progress. Progress events of the work count as such.
 */
export async function withTimeLimits<T>(
  what: string,
  limits: TimeLimits,
  context: Context,
  work: (context: Context, progressed: () => void) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const start = context.clock.monotonicMs();
  let last = start;
  let timer: NodeJS.Timeout | undefined;
  const expire = (reason: string): void => {
    controller.abort(targetError(`cannot ${what}: ${reason}`));
  };
  const check = (): void => {
    const now = context.clock.monotonicMs();
    const left = Math.min(
      (limits.timeoutMs ?? Infinity) - (now - start),
      (limits.idleTimeoutMs ?? Infinity) - (now - last),
    );
    if (left === Infinity) return;
    if (left > 0) timer = setTimeout(check, Math.min(left, 2 ** 30));
    else if (limits.timeoutMs !== null && now - start >= limits.timeoutMs) {
      expire(`no end after ${secondsText(limits.timeoutMs)}`);
    } else expire(`no byte for ${secondsText(limits.idleTimeoutMs ?? 0)}`);
  };
  check();
  try {
    const progressed = (): void => {
      last = context.clock.monotonicMs();
    };
    const limited = context.withSignal(controller.signal);
    const emit: Context['emit'] = (event) => {
      if (event.type === 'progress') progressed();
      limited.emit(event);
    };
    return await work({ ...limited, emit }, progressed);
  } finally {
    clearTimeout(timer);
  }
}

const secondsText = (milliseconds: number): string => `${milliseconds / 1000}s`;
