import { stat } from 'node:fs/promises';
import type { Context } from '../../context.ts';

const EVERY_MS = 2_000;

/** Tells how far a copy has grown while a job works on it: a sign of life for time limits and progress bars. */
export async function withHeartbeat<T>(
  path: string,
  copy: string,
  totalBytes: number,
  work: Promise<T>,
  context: Context,
): Promise<T> {
  const beat = async (): Promise<void> => {
    const bytes = await stat(copy).then(
      ({ size }) => size,
      () => 0,
    );
    context.emit({ type: 'progress', subject: `copying ${path}`, bytes, totalBytes });
  };
  const timer = setInterval(() => void beat(), EVERY_MS);
  try {
    return await work;
  } finally {
    clearInterval(timer);
  }
}
