import { reasonOf, targetError } from '../../../errors.ts';
import { listAll, type LiveCollection } from '../server/collections.ts';
import type { Session } from '../server/connection.ts';
import { dropJournal, type Exchange, type Moved, readJournal, writeJournal } from './journal.ts';
import { makeView, rename } from './rename.ts';
import { dropCollection, dropUnfinished } from './side.ts';
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
  const all = await listAll(session, database);
  const there = new Set(all.map(({ name }) => name));
  // Nothing gives way to what is not there.
  const mayGo = (name: string): boolean => there.has(side + name) || !bring.some((one) => one.name === name);
  for (const { name, view } of away) {
    if (view !== null) {
      if (!there.has(old + name)) await makeView(session, database, old + name, view);
      await dropCollection(session, database, name);
    } else if (there.has(name) && !there.has(old + name) && mayGo(name))
      await rename(session, database, name, old + name);
  }
  const late: string[] = [];
  for (const { name } of bring.filter((one) => one.view === null && there.has(side + one.name)))
    if (await bringIn(session, database, name, exchange)) late.push(name);
  for (const { name, view } of bring) {
    if (view === null) continue;
    await dropCollection(session, database, name);
    await makeView(session, database, name, view);
  }
  await dropUnfinished(session, database, side);
  await dropJournal(session, database);
  return late;
}

/** What becomes of what clients wrote between the two renames of a collection. */
export const writtenMeanwhile = (database: string, name: string): string =>
  `${database}: ${name} was written to while it was exchanged: that is set aside, too`;

const NAMESPACE_EXISTS = 48;
const ATTEMPTS = 20;

/** Clients that go on writing make the collection again between the two renames: what they made is set aside, too. */
async function bringIn(session: Session, database: string, name: string, { side, old }: Exchange): Promise<boolean> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await rename(session, database, side + name, name);
      return attempt > 1;
    } catch (error) {
      const { cause } = error as { readonly cause?: { readonly code?: unknown } };
      if (Number(cause?.code) !== NAMESPACE_EXISTS || attempt === ATTEMPTS) throw error;
      await rename(session, database, name, `${old}${name}~late${attempt}`);
    }
  }
}
