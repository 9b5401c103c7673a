import { BSON, type Db, MongoClient } from 'mongodb';
import { createHash } from 'node:crypto';
import { type Connection, connectionOf, startedServices } from '../../services/connection.ts';

/** The server on a port, also in processes that know nothing but a target. */
export function serverOn(port: number | undefined): Connection {
  const found = startedServices('ferretdb')
    .map(connectionOf)
    .find((server) => server['port'] === String(port));
  if (found === undefined) throw new Error(`no server on port ${port}`);
  return found;
}

/** Does something with a database, as somebody who may everything. */
export async function inDatabase<T>(server: Connection, name: string, act: (database: Db) => Promise<T>): Promise<T> {
  const { host, port, user, password } = server;
  const client = new MongoClient(`mongodb://${user}:${password}@${host}:${port}/`, {
    promoteValues: false,
    bsonRegExp: true,
  });
  try {
    return await act(client.db(name));
  } finally {
    await client.close();
  }
}

const isOwn = (name: string): boolean => name.startsWith('bkp-');

/** Names of the collections of a database; `bkp-` ones too where they are asked for. */
export async function collectionNames(database: Db, all = false): Promise<readonly string[]> {
  const listed = await database.listCollections({}, { nameOnly: true }).toArray();
  return listed
    .map(({ name }) => name)
    .filter((name) => all || !isOwn(name))
    .toSorted();
}

/** FerretDB adds keys of its own when an index is restored. */
const indexText = (index: object): string =>
  BSON.EJSON.stringify(Object.fromEntries(Object.entries(index).filter(([key]) => key !== 'storageEngine')));

/** Equal for databases that hold the same: documents byte by byte in any order, indexes, options. */
export async function digestDatabase(database: Db): Promise<string> {
  const names = await collectionNames(database);
  if (names.length === 0) return 'absent';
  const hash = createHash('sha256');
  for (const name of names) {
    const documents: string[] = [];
    for await (const raw of database.collection(name).find({}, { raw: true }))
      documents.push(
        createHash('sha256')
          .update(raw as unknown as Buffer)
          .digest('hex'),
      );
    const indexes = await database.collection(name).listIndexes().toArray();
    const [info] = await database.listCollections({ name }).toArray();
    const options = info !== undefined && 'options' in info ? info.options : {};
    const defined = [...indexes.map(indexText).toSorted(), BSON.EJSON.stringify(options)];
    hash.update(JSON.stringify([name, documents.toSorted(), defined]));
  }
  return hash.digest('hex');
}
