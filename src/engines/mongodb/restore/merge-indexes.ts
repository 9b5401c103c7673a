import type { Document } from 'mongodb';
import { BkpError, reasonOf } from '../../../errors.ts';
import type { Session } from '../server/connection.ts';
import { unlessGone } from './side.ts';

export interface MergedIndexes {
  /** Names of those that came back, for the case that they must go again. */
  readonly made: readonly string[];
  readonly conflicts: readonly string[];
}

/** Makes the indexes that a collection lacks, by name. */
export async function mergeIndexes(
  session: Session,
  database: string,
  prefix: string,
  name: string,
): Promise<MergedIndexes> {
  const [captured, there] = [
    await listIndexes(session, database, prefix + name),
    new Set((await listIndexes(session, database, name)).map((index) => String(index['name']))),
  ];
  const made: string[] = [];
  const conflicts: string[] = [];
  for (const { v: _v, ns: _ns, ...index } of captured) {
    const label = String(index['name']);
    if (there.has(label)) continue;
    try {
      await session.in(database, (db) => db.command({ createIndexes: name, indexes: [index] }));
      made.push(label);
    } catch (error) {
      if (!(error instanceof BkpError)) throw error;
      conflicts.push(`${name}: index ${label} does not come back: ${reasonOf(error.cause ?? error)}`);
    }
  }
  return { made, conflicts };
}

export async function dropIndexes(
  session: Session,
  database: string,
  name: string,
  made: readonly string[],
): Promise<void> {
  for (const index of made)
    await session.in(database, (db) =>
      db
        .collection(name)
        .dropIndex(index)
        .then(() => undefined, unlessGone),
    );
}

const listIndexes = (session: Session, database: string, name: string): Promise<readonly Document[]> =>
  session.in(database, (db) => db.collection(name).listIndexes().toArray());
