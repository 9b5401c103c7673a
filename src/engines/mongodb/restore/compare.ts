import { integrityError } from '../../../errors.ts';
import type { Facts, FactValue } from '../../engine.ts';
import { factsDifference } from '../../facts-difference.ts';
import { listAll, type LiveCollection } from '../server/collections.ts';
import type { Session } from '../server/connection.ts';
import { type LiveFacts, readLiveFacts } from '../server/live-facts.ts';
import type { Place } from './places.ts';
import type { Prepared } from './restore.ts';
import { under } from './side.ts';

const MOST_DIFFERENCES = 5;
const COMPARED = ['documents', 'indexes', 'options'] as const;

/** What was built in every place, by the names that it takes, and its facts under the names of the archive. */
export interface ComparedPlaces {
  readonly built: ReadonlyMap<Place, readonly LiveCollection[]>;
  readonly facts: LiveFacts;
}

/** Throws `integrity` where what came back is not what was captured: documents, indexes, options of collections. */
export async function compareWhole(
  { places, expected, oplog }: Pick<Prepared, 'places' | 'expected' | 'oplog'>,
  session: Session,
): Promise<ComparedPlaces> {
  const built = new Map<Place, readonly LiveCollection[]>();
  const parts: LiveFacts[] = [];
  for (const place of places) {
    const { from, database, prefix } = place;
    const found = under(prefix, await listAll(session, database));
    const standing = found.map((one) => ({ ...one, name: prefix + one.name }));
    parts.push(await readLiveFacts(session, database, standing, (name) => `${from}.${name.slice(prefix.length)}`));
    built.set(place, found);
  }
  const facts = {
    documents: Object.assign({}, ...parts.map(({ documents }) => documents)) as LiveFacts['documents'],
    indexes: Object.assign({}, ...parts.map(({ indexes }) => indexes)) as LiveFacts['indexes'],
    options: Object.assign({}, ...parts.map(({ options }) => options)) as LiveFacts['options'],
  };
  // What the oplog adds to the documents stands in no header.
  assertSame(places, expected, { ...facts }, oplog ? ['options'] : COMPARED);
  return { built, facts };
}

function assertSame(
  places: readonly Place[],
  expected: Facts,
  found: Facts,
  keys: readonly (typeof COMPARED)[number][],
): void {
  // Absent is the same as empty.
  const compared = (facts: Facts): Facts =>
    Object.fromEntries(keys.map((key): readonly [string, FactValue] => [key, facts[key] ?? {}]));
  const difference = factsDifference(compared(expected), compared(found));
  if (difference.length === 0) return;
  const names = places.map(({ database }) => database).join(', ');
  const lost = difference.some((clause) => clause.startsWith('options.'));
  throw integrityError(
    `cannot restore database ${names}: what came back is not what was captured: ${difference
      .slice(0, MOST_DIFFERENCES)
      .join(', ')}`,
    { hint: lost ? 'the server does not know, or not keep, what the collection was made with' : undefined },
  );
}

/** `{ "collection shop.orders": 12 }`. */
export const restoredDocuments = ({ documents }: LiveFacts): Facts =>
  Object.fromEntries(Object.entries(documents).map(([name, count]) => [`collection ${name}`, count]));
