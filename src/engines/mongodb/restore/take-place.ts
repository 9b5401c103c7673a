import { randomBytes } from 'node:crypto';
import type { Document } from 'mongodb';
import { listAll, type LiveCollection } from '../server/collections.ts';
import type { Session } from '../server/connection.ts';
import { mergeIndexes } from './merge-indexes.ts';
import { rename } from './rename.ts';
import { dropCollection } from './side.ts';

const ATTEMPTS = 5;

/**
 * Gives a collection, which waits under a prefix, a name that was just given up. Clients that go on writing make a collection of that name meanwhile:
 * what they made is set aside under names that begin with `old`; where they are too quick for that, the collection moves
 * in with what they wrote, if nothing but its documents and indexes would be lost. True where something was set aside.
 */
export async function takePlace(
  session: Session,
  database: string,
  { prefix, name, old }: { readonly prefix: string; readonly name: string; readonly old: string },
): Promise<boolean> {
  const from = prefix + name;
  for (let attempt = 1; ; attempt += 1) {
    try {
      await rename(session, database, from, name);
      return attempt > 1;
    } catch (error) {
      const all = await listAll(session, database);
      const waiting = all.find((one) => one.name === from);
      if (waiting === undefined || !all.some((one) => one.name === name)) throw error;
      if (attempt < ATTEMPTS)
        await rename(session, database, name, `${old}${name}~late${randomBytes(2).toString('hex')}`);
      else if (isPlain(waiting)) {
        await moveIn(session, database, prefix, name);
        return true;
      } else throw error;
    }
  }
}

const isPlain = ({ type, options }: LiveCollection): boolean =>
  type === 'collection' && Object.keys(options).length === 0;

async function moveIn(session: Session, database: string, prefix: string, name: string): Promise<void> {
  const from = prefix + name;
  const into: Document = { into: name, on: '_id', whenMatched: 'keepExisting', whenNotMatched: 'insert' };
  await session.in(database, (db) =>
    db
      .collection(from)
      .aggregate([{ $match: {} }, { $merge: into }], { bypassDocumentValidation: true })
      .toArray(),
  );
  const { conflicts } = await mergeIndexes(session, database, prefix, name);
  if (conflicts.length > 0) throw new Error(conflicts.join('; '));
  await dropCollection(session, database, from);
}
