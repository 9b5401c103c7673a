import type { Context } from '../../../context.ts';
import { integrityError } from '../../../errors.ts';
import type { Facts, IncomingArtifact } from '../../engine.ts';
import { factsDifference } from '../../facts-difference.ts';
import { openDumpCount } from '../rdb/dump-facts.ts';
import { openDumpReader } from '../rdb/read-dump.ts';
import { openExpiryTimes, type ExpiryTimes } from './expiry-times.ts';

/** What a first reading of a dump tells, before anything happens to a destination. */
export interface Survey {
  readonly facts: Facts;
  /** Of the format. */
  readonly version: number;
  readonly bytes: number;
  /** Values too large to be held, by the ordinal of their key: how many bytes they have. */
  readonly large: ReadonlyMap<number, number>;
  readonly largestBytes: number;
  readonly libraries: readonly Buffer[];
  readonly highestDatabase: number;
  /** Own types of modules, and modules that left other data. */
  readonly moduleTypes: readonly string[];
  readonly expiryTimes: ExpiryTimes;
}

/** Larger values go to the server as they come. */
const LARGE_BYTES = 1024 * 1024;
const MOST_DIFFERENCES = 5;

/** Reads a dump to its end. Throws `integrity` where it is damaged, or is another than was captured. */
export async function surveyDump(
  artifact: IncomingArtifact,
  expected: Facts | null,
  context: Context,
): Promise<Survey> {
  const count = openDumpCount();
  const large = new Map<number, number>();
  const libraries: Buffer[] = [];
  const moduleTypes = new Set<string>();
  const expiryTimes = openExpiryTimes(context.clock.now());
  const state = { ordinal: 0, largest: 0, highest: 0, bytes: 0 };
  const reader = openDumpReader({
    entry(entry) {
      count.entry(entry);
      state.ordinal = entry.ordinal;
      state.highest = Math.max(state.highest, entry.database);
      if (entry.expireAt !== null) expiryTimes.add(entry.database, entry.expireAt);
    },
    entryEnd(bytes, moduleType) {
      count.entryEnd(bytes, moduleType);
      if (bytes > LARGE_BYTES) large.set(state.ordinal, bytes);
      state.largest = Math.max(state.largest, bytes);
      if (moduleType !== undefined) moduleTypes.add(moduleType);
    },
    module: (name) => void moduleTypes.add(name),
    library(code) {
      count.library(code);
      libraries.push(code);
    },
  });
  await artifact.into({
    kind: 'reader',
    async read(raw) {
      for await (const chunk of raw as AsyncIterable<Buffer>) {
        state.bytes += chunk.length;
        reader.push(chunk);
        const totalBytes = artifact.rawBytes;
        context.emit({ type: 'progress', subject: 'checking the dump', bytes: state.bytes, totalBytes });
      }
    },
  });
  const end = reader.end();
  const facts = count.facts(end);
  if (expected !== null) assertSame(expected, facts);
  return {
    facts,
    version: end.version,
    bytes: state.bytes,
    large,
    largestBytes: state.largest,
    libraries,
    highestDatabase: state.highest,
    moduleTypes: [...moduleTypes].toSorted(),
    expiryTimes,
  };
}

function assertSame(expected: Facts, facts: Facts): void {
  const known = Object.fromEntries(Object.entries(expected).filter(([name]) => name in facts));
  const difference = Object.keys(known).length === 0 ? [] : factsDifference(known, pick(facts, known));
  if (difference.length === 0) return;
  const shown = difference.slice(0, MOST_DIFFERENCES).join(', ');
  throw integrityError(`cannot restore the dump: it is not what was captured: ${shown}`);
}

const pick = (facts: Facts, names: Facts): Facts =>
  Object.fromEntries(Object.entries(facts).filter(([name]) => name in names));
