import { stat } from 'node:fs/promises';
import type { Context } from '../../context.ts';

const EVERY_MS = 2_000;

/**
 * Tells how far a copy is while a job works on it: a sign of life for time limits and progress bars. A copy that is made
 * lives as long as it grows, since the job may wait for a lock; one that is read, as long as the job runs.
 */
export async function withHeartbeat<T>(
  path: string,
  copy: string,
  totalBytes: number,
  work: { readonly job: Promise<T>; readonly makesCopy: boolean },
  context: Context,
): Promise<T> {
  let told = 0;
  const beat = async (): Promise<void> => {
    const bytes = await stat(copy).then(
      ({ size }) => size,
      () => 0,
    );
    if (work.makesCopy && bytes === told) return;
    told = bytes;
    context.emit({ type: 'progress', subject: `copying ${path}`, bytes, totalBytes });
  };
  const timer = setInterval(() => void beat(), EVERY_MS);
  try {
    return await work.job;
  } finally {
    clearInterval(timer);
  }
}
