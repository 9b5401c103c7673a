import { failureOf } from './failure.ts';

/** The bucket answers and has no such object, or no such version of it. */
export const isMissing = (error: unknown): boolean => ['NoSuchKey', 'NoSuchVersion'].includes(failureOf(error).code);

/** The size that `bytes 0-9/100` gives. */
export function totalOf(range: string | undefined): number | undefined {
  const total = /\/(\d+)$/.exec(range ?? '')?.[1];
  return total === undefined ? undefined : Number(total);
}
