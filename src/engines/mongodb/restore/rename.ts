import type { Db, Document } from 'mongodb';
import type { Session } from '../server/connection.ts';

const INVALID_NAMESPACE = 73;

/** Gives a collection another name in its database: one step of the server, whatever the size. */
export async function rename(session: Session, database: string, from: string, to: string): Promise<void> {
  await session.in(database, async (db) => {
    try {
      await db.renameCollection(from, to);
    } catch (error) {
      // FerretDB renames nothing that has a dot in its name, as the collections of GridFS have.
      if (Number((error as { readonly code?: unknown }).code) !== INVALID_NAMESPACE || !/\./.test(from + to))
        throw error;
      await copy(db, from, to);
    }
  });
}

async function copy(db: Db, from: string, to: string): Promise<void> {
  const [there] = await db.listCollections({ name: to }, { nameOnly: true }).toArray();
  if (there !== undefined) throw new NamespaceExists(to);
  const indexes = await db.collection(from).listIndexes().toArray();
  await db.createCollection(to);
  await db
    .collection(from)
    .aggregate([{ $match: {} }, { $merge: { into: to } }])
    .toArray();
  const others = indexes.filter(({ name }) => String(name) !== '_id_').map(withoutVersion);
  if (others.length > 0) await db.command({ createIndexes: to, indexes: others });
  await db.dropCollection(from);
}

const withoutVersion = ({ v: _v, ns: _ns, ...index }: Document): Document => index;

/** What a server says where a name is taken. */
class NamespaceExists extends Error {
  readonly code = 48;
  constructor(name: string) {
    super(`collection ${name} is there already`);
  }
}

/** No server renames a view: it is made once more. */
export async function makeView(session: Session, database: string, name: string, options: object): Promise<void> {
  await session.in(database, (db) => db.createCollection(name, options));
}
