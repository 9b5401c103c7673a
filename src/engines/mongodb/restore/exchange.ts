import { reasonOf, targetError } from '../../../errors.ts';
import { listAll, type LiveCollection } from '../server/collections.ts';
import type { Session } from '../server/connection.ts';
import { dropJournal, type Exchange, type Moved, readJournal, writeJournal } from './journal.ts';
import { makeView, rename } from './rename.ts';
import { dropCollection, dropUnfinished } from './side.ts';
import { takePlace } from './take-place.ts';
import { undoExchange } from './undo-exchange.ts';

export const asMoved = ({ name, type, options }: LiveCollection): Moved => ({
  name,
  view: type === 'view' ? options : null,
});

/**
 * Lets new collections take the place of the old ones, which keep their data under new names. Every rename is one step of
 * the server; all of them together are not, so what is planned is written down first, and finished by whoever comes next.
 * Returns names that others made in the meantime, and that were set aside too. What fails is taken back.
 */
export async function exchangeCollections(
  session: Session,
  database: string,
  exchange: Exchange,
): Promise<readonly string[]> {
  await writeJournal(session, database, exchange);
  try {
    return await finish(session, database, exchange);
  } catch (error) {
    await undoExchange(session, database, exchange).catch((failure: unknown) => {
      throw targetError(`cannot restore database ${database}: it is half exchanged: ${reasonOf(failure)}`, {
        hint: `restore once more, which finishes it; what was there is under ${exchange.old}…`,
        cause: error,
      });
    });
    throw error;
  }
}

/** Finishes what a killed restore was exchanging, and drops what it was building. */
export async function finishEarlier(session: Session, database: string): Promise<void> {
  const exchange = await readJournal(session, database);
  if (exchange !== null) await finish(session, database, exchange);
  await dropUnfinished(session, database, null);
}

async function finish(session: Session, database: string, exchange: Exchange): Promise<readonly string[]> {
  const { side, old, away, bring } = exchange;
  const there = new Set((await listAll(session, database)).map(({ name }) => name));
  const late: string[] = [];
  // One after the other, so that a name is free for as short as can be.
  for (const { name, view } of away) {
    await setAside(session, database, { name, view }, exchange, there);
    if (bring.some((one) => one.name === name && one.view === null) && there.has(side + name))
      if (await takePlace(session, database, { prefix: side, name, old })) late.push(name);
  }
  for (const { name, view } of bring) {
    if (view !== null) {
      await dropCollection(session, database, name);
      await makeView(session, database, name, view);
    } else if (!away.some((one) => one.name === name) && there.has(side + name))
      if (await takePlace(session, database, { prefix: side, name, old })) late.push(name);
  }
  await dropUnfinished(session, database, side);
  await dropJournal(session, database);
  return late;
}

async function setAside(
  session: Session,
  database: string,
  { name, view }: Moved,
  { side, old, bring }: Exchange,
  there: ReadonlySet<string>,
): Promise<void> {
  const isAway = there.has(old + name);
  if (view !== null) {
    if (!isAway) await makeView(session, database, old + name, view);
    await dropCollection(session, database, name);
    return;
  }
  // Nothing gives way to what is not there.
  const mayGo = there.has(side + name) || !bring.some((one) => one.name === name && one.view === null);
  if (there.has(name) && !isAway && mayGo) await rename(session, database, name, old + name);
}

/** What becomes of what clients wrote between the two renames of a collection. */
export const writtenMeanwhile = (database: string, name: string): string =>
  `${database}: ${name} was written to while it was exchanged: that is set aside, too, or in the new one`;
