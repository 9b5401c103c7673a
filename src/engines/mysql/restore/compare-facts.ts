import { integrityError } from '../../../errors.ts';
import type { Facts, FactValue } from '../../engine.ts';
import { factsDifference } from '../../facts-difference.ts';
import type { Session } from '../server/connection.ts';
import { countDatabase } from '../server/database-facts.ts';

const MOST_DIFFERENCES = 5;

/** Counts a database. Throws `integrity` where that is not what was captured; events come later and are not compared. */
export async function countAndCompare(
  session: Session,
  place: { readonly built: string; readonly destination: string; readonly foldsNames: boolean },
  expected: Facts,
): Promise<Facts> {
  const { events: _later, ...counted } = await countDatabase(session, place.built);
  compareFacts(place, expected, counted);
  return counted;
}

/** Throws `integrity` where what both tell differs. */
export function compareFacts(
  { destination, foldsNames }: { readonly destination: string; readonly foldsNames: boolean },
  expected: Facts,
  counted: Facts,
): void {
  const wanted = Object.fromEntries(Object.entries(expected).filter(([name]) => name in counted));
  const found = Object.fromEntries(Object.entries(counted).filter(([name]) => name in wanted));
  const difference = foldsNames ? factsDifference(folded(wanted), folded(found)) : factsDifference(wanted, found);
  if (difference.length === 0) return;
  const shown = difference.slice(0, MOST_DIFFERENCES).join(', ');
  throw integrityError(`cannot restore database ${destination}: what came back is not what was captured: ${shown}`);
}

/** A server may keep names in lower case only. */
const folded = (facts: Facts): Facts =>
  Object.fromEntries(
    Object.entries(facts).map(
      ([name, value]) => [name, name === 'tables' && isNested(value) ? lower(value) : value] as const,
    ),
  );

const lower = (value: Facts): FactValue =>
  Object.fromEntries(Object.entries(value).map(([name, rows]) => [name.toLowerCase(), rows] as const));

const isNested = (value: FactValue): value is Facts => typeof value === 'object' && value !== null;
