import { eachLimited } from '../each-limited.ts';
import { throwIfAborted } from '../errors.ts';
import type { Versions } from './list-backups.ts';

/** A small document as it was read once. */
export interface CachedRecord<T> {
  /** The object's version when it was read. */
  readonly version: string;
  readonly record: T;
}

/** How many objects of one backup are read at the same time: a store answers late, and many at once. */
export const READS_AT_ONCE = 32;

export interface ReadRecords<T> {
  /** In the order of the listing. */
  readonly cached: ReadonlyMap<string, CachedRecord<T>>;
  /** The catalog does not know all of it. */
  readonly isNews: boolean;
}

/**
 * The records that a listing shows: those that are known in the listed version as they are known, the others read.
 * Where the listing tells no versions `read` decides, given what is known.
 */
export async function readRecords<T>(
  listed: Versions,
  known: ReadonlyMap<string, CachedRecord<T>>,
  read: (
    name: string,
    version: string | undefined,
    before: CachedRecord<T> | undefined,
  ) => Promise<CachedRecord<T> | undefined>,
  signal: AbortSignal,
): Promise<ReadRecords<T>> {
  const unsure = [...listed].filter(([name, version]) => !isIn(known, name, version));
  const found = new Map<string, CachedRecord<T> | undefined>();
  await eachLimited(unsure, READS_AT_ONCE, async ([name, version]) => {
    throwIfAborted(signal);
    found.set(name, await read(name, version, known.get(name)));
  });
  const cached = new Map<string, CachedRecord<T>>();
  let isNews = known.size > listed.size;
  for (const name of listed.keys()) {
    const before = known.get(name);
    const now = found.has(name) ? found.get(name) : before;
    if (now === undefined) continue;
    isNews ||= now !== before;
    cached.set(name, now);
  }
  return { cached, isNews };
}

const isIn = (known: ReadonlyMap<string, CachedRecord<unknown>>, name: string, version: string | undefined): boolean =>
  version !== undefined && known.get(name)?.version === version;
