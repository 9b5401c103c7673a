import type { Document } from 'mongodb';
import type { Session } from '../server/connection.ts';
import { JOURNAL } from '../server/names.ts';
import { dropCollection } from './side.ts';

/** What a restore exchanges, in the database itself, so that one that was killed there can be finished by the next. */
export interface Exchange {
  /** Where the new collections stand. */
  readonly side: string;
  /** Where the old ones go. */
  readonly old: string;
  readonly away: readonly Moved[];
  readonly bring: readonly Moved[];
}

/** A collection, or a view, which no server renames: it is made once more. */
export interface Moved {
  readonly name: string;
  /** Null for a collection. */
  readonly view: Document | null;
}

const ID = 'exchange';

export async function writeJournal(session: Session, database: string, exchange: Exchange): Promise<void> {
  const text = JSON.stringify(session.toJson(exchange));
  await session.in(database, (db) =>
    db.collection<{ _id: string; text: string }>(JOURNAL).insertOne({ _id: ID, text }),
  );
}

export async function readJournal(session: Session, database: string): Promise<Exchange | null> {
  const found = await session.in(database, (db) =>
    db.collection<{ _id: string; text: string }>(JOURNAL).findOne({ _id: ID }),
  );
  return found === null ? null : (session.fromJson(JSON.parse(found.text)) as Exchange);
}

export const dropJournal = (session: Session, database: string): Promise<void> =>
  dropCollection(session, database, JOURNAL);
