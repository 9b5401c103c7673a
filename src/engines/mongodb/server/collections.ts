import type { Document } from 'mongodb';
import { BkpError } from '../../../errors.ts';
import type { Session } from './connection.ts';
import { isOwnName } from './names.ts';

/** What stands in a database under one name. */
export interface LiveCollection {
  readonly name: string;
  readonly type: 'collection' | 'view' | 'timeseries';
  /** As the server has them, to make the same once more. */
  readonly options: Document;
}

/** Everything in a database that is not the server's own, what bkp left there too; sorted by name. */
export async function listAll(session: Session, database: string): Promise<readonly LiveCollection[]> {
  const listed = await session.in(database, (db) => db.listCollections({}, { nameOnly: false }).toArray());
  return listed
    .filter(({ name }) => !name.startsWith('system.'))
    .map((found) => ({
      name: found.name,
      type: typeOf(found.type),
      options: ('options' in found ? found.options : undefined) ?? {},
    }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** The same without what bkp left there. */
export const listCollections = async (session: Session, database: string): Promise<readonly LiveCollection[]> =>
  (await listAll(session, database)).filter(({ name }) => !isOwnName(name));

const typeOf = (type: string | undefined): LiveCollection['type'] =>
  type === 'view' || type === 'timeseries' ? type : 'collection';

/** Bytes of all documents of a database; null where the user may read it and not ask that, as with the role `backup`. */
export async function databaseBytes(session: Session, database: string): Promise<number | null> {
  try {
    const { dataSize } = await session.command(database, { dbStats: 1 });
    return Number(dataSize ?? 0);
  } catch (error) {
    if (error instanceof BkpError && error.code === 'target') return null;
    throw error;
  }
}

const OF_SERVER: readonly unknown[] = ['admin', 'config', 'local'];

/** The databases of a server that are not its own. */
export async function listDatabases(session: Session): Promise<readonly string[]> {
  const { databases } = await session.command('admin', { listDatabases: 1, nameOnly: true });
  const names = (databases as readonly { readonly name: string }[]).map(({ name }) => name);
  return names.filter((name) => !OF_SERVER.includes(name)).toSorted();
}
