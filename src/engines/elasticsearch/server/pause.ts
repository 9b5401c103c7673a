import { setTimeout as sleep } from 'node:timers/promises';
import { throwIfAborted } from '../../../errors.ts';

const FIRST_MS = 100;
const LONGEST_MS = 10_000;

/** Waits before a busy server is asked again: twice as long each time. */
export async function pauseBefore(attempt: number, signal: AbortSignal | undefined): Promise<void> {
  const ms = Math.min(FIRST_MS * 2 ** attempt, LONGEST_MS);
  try {
    await sleep(ms, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    if (signal !== undefined) throwIfAborted(signal);
    throw error;
  }
}
