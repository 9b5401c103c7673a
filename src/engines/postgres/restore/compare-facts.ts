import { integrityError } from '../../../errors.ts';
import type { Facts, FactValue, RestoreRequest } from '../../engine.ts';
import { factsDifference } from '../../facts-difference.ts';
import type { PostgresTarget, Session } from '../server/connection.ts';
import { readDatabaseFacts } from '../server/database-facts.ts';
import { countLive } from '../capture/live-facts.ts';
import { readSequences } from '../capture/live-sequences.ts';
import { assertIndexesServe } from './valid-indexes.ts';

const MOST_DIFFERENCES = 5;

/** Counts what the session's transaction sees. Throws `integrity` where that is not what was captured, or an index is not valid. */
export async function countAndCompare(
  session: Session,
  { destination, expectedFacts }: Pick<RestoreRequest<PostgresTarget>, 'destination' | 'expectedFacts'>,
): Promise<Facts> {
  await assertIndexesServe(session, destination.database);
  const { withoutRows } = expectedFacts ?? {};
  const hash = expectedFacts !== null && 'hashes' in expectedFacts;
  const all = await countLive(session, { selection: null, hash });
  const tables = Object.entries(all.tables).filter(([name, rows]) => rows > 0 || !isLeftOut(withoutRows, name));
  const counted = {
    ...all,
    tables: Object.fromEntries(tables),
    sequences: await readSequences(session, expectedFacts?.['sequences']),
  };
  const made = await readDatabaseFacts(session);
  const expected = Object.fromEntries(Object.entries(expectedFacts ?? {}).filter(([name]) => name in counted));
  const known = Object.fromEntries(Object.entries(counted).filter(([name]) => name in expected));
  const difference = factsDifference(expected, known);
  if (difference.length > 0) {
    const shown = difference.slice(0, MOST_DIFFERENCES).join(', ');
    throw integrityError(
      `cannot restore database ${destination.database}: what came back is not what was captured: ${shown}`,
    );
  }
  return expectedFacts !== null && !('database' in expectedFacts) ? counted : { ...counted, database: made };
}

/** Its definition was captured and its rows were not: no dump tells how many there are. */
const isLeftOut = (withoutRows: FactValue | undefined, table: string): boolean =>
  typeof withoutRows === 'object' && withoutRows !== null && table in withoutRows;
