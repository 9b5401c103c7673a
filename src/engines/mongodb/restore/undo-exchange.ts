import { listAll } from '../server/collections.ts';
import type { Session } from '../server/connection.ts';
import { dropJournal, type Exchange } from './journal.ts';
import { makeView, rename } from './rename.ts';
import { dropCollection } from './side.ts';
import { takePlace } from './take-place.ts';

/** Takes back what of an exchange is done: what was brought goes beside again, what was set aside comes back. */
export async function undoExchange(session: Session, database: string, exchange: Exchange): Promise<void> {
  const { side, old, away, bring } = exchange;
  const there = new Set((await listAll(session, database)).map(({ name }) => name));
  const isAway = (name: string): boolean => there.has(old + name);
  for (const { name, view } of bring) {
    if (!there.has(name)) continue;
    const wasThere = away.some((one) => one.name === name);
    // As long as it was not set aside, what stands there is the old one.
    if (wasThere && !isAway(name)) continue;
    if (view !== null) await dropCollection(session, database, name);
    else if (there.has(side + name)) continue;
    else await rename(session, database, name, side + name);
    there.delete(name);
  }
  for (const { name, view } of away) {
    if (!isAway(name)) continue;
    if (view === null) {
      await takePlace(session, database, { prefix: old, name, old });
      continue;
    }
    if (!there.has(name)) await makeView(session, database, name, view);
    await dropCollection(session, database, old + name);
  }
  await dropJournal(session, database);
}
