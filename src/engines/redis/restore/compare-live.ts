import { integrityError } from '../../../errors.ts';
import type { Facts } from '../../engine.ts';
import { type RedisTarget, serverOf } from '../server/connection.ts';
import { listLibraries, readInfo } from '../server/server-info.ts';
import type { Session } from '../server/session.ts';
import type { Survey } from './survey.ts';

/** What the server has after a restore, and what people must know of it. */
export interface LiveComparison {
  readonly facts: Facts;
  readonly warnings: readonly string[];
}

/**
 * Counts what the server has and compares it with the dump. Keys that have expired meanwhile, or that others wrote, are
 * told; any other difference is `integrity`.
 */
export async function compareLive(
  session: Session,
  { facts, libraries, expiryTimes }: Survey,
  target: RedisTarget,
  now: Date,
): Promise<LiveComparison> {
  const live = await readInfo(session);
  const found = await listLibraries(session);
  const warnings: string[] = [];
  const differ = (what: string): Error =>
    integrityError(
      `cannot restore into redis at ${serverOf(target)}: what came back is not what was captured: ${what}`,
    );
  const expected = countsOf(facts['keys']);
  for (const database of new Set([...Object.keys(expected), ...Object.keys(live.keys)])) {
    const [wanted, there] = [expected[database] ?? 0, live.keys[database] ?? 0];
    const gone = wanted - there;
    if (gone > expiryTimes.until(database, now)) throw differ(`database ${database} has ${there} keys, not ${wanted}`);
    if (gone > 0) warnings.push(`database ${database}: ${gone} of ${wanted} keys have expired since the capture`);
    if (gone < 0) warnings.push(`database ${database}: ${-gone} keys more than were captured: somebody writes there`);
  }
  if (found.length < libraries.length)
    throw differ(`there are ${found.length} libraries of functions, not ${libraries.length}`);
  return {
    facts: { ...facts, keys: live.keys, expiring: live.expiring, libraries: found.length },
    warnings,
  };
}

/** Counts by database, as facts have them. */
const countsOf = (value: Facts[string] | undefined): Readonly<Record<string, number>> =>
  typeof value === 'object' && value !== null
    ? Object.fromEntries(Object.entries(value).flatMap(([key, n]) => (typeof n === 'number' ? [[key, n]] : [])))
    : {};
