import { integrityError } from '../../../errors.ts';
import type { Facts, FactValue } from '../../engine.ts';
import { factsDifference } from '../../facts-difference.ts';
import type { LiveFacts } from '../server/live-facts.ts';

const MOST_DIFFERENCES = 5;
const COMPARED = ['documents', 'indexes', 'options'] as const;

/** Throws `integrity` where what came back is not what was captured: documents, indexes, options of collections. */
export function assertSame(database: string, expected: Facts, found: LiveFacts): void {
  const difference = factsDifference(compared(expected), compared({ ...found }));
  if (difference.length === 0) return;
  const lost = difference.some((clause) => clause.startsWith('options.'));
  throw integrityError(
    `cannot restore database ${database}: what came back is not what was captured: ${difference
      .slice(0, MOST_DIFFERENCES)
      .join(', ')}`,
    { hint: lost ? 'the server does not know, or not keep, what the collection was made with' : undefined },
  );
}

/** Absent is the same as empty. */
const compared = (facts: Facts): Facts =>
  Object.fromEntries(COMPARED.map((key): readonly [string, FactValue] => [key, facts[key] ?? {}]));

/** `{ "collection shop.orders": 12 }`. */
export const restoredDocuments = ({ documents }: LiveFacts): Facts =>
  Object.fromEntries(Object.entries(documents).map(([name, count]) => [`collection ${name}`, count]));
