import type { Facts, FactValue, RawReader } from '../../engine.ts';
import { isOwnName } from '../server/names.ts';
import { type ArchivedCollection, createArchiveReader, dataNamespace } from './archive-reader.ts';
import { readDefinition } from './definitions.ts';

/** Databases of the server itself: users and roles aside, nothing of them is captured. */
const OF_SERVER = ['admin', 'config', 'local'];

/** True for a collection that a restore brings back: none of the server's own, and nothing that bkp set aside. */
export const isRestored = ({ database, name }: Pick<ArchivedCollection, 'database' | 'name'>): boolean =>
  database !== '' && !OF_SERVER.includes(database) && !/^(?:\$admin|system)\./.test(name) && !isOwnName(name);

/** Sees an archive while it is stored; its facts go into the manifest. */
export function openArchiveInspector(): RawReader {
  const reader = createArchiveReader();
  return {
    push: (chunk) => reader.push(chunk),
    end() {
      const { collections, documents } = reader.end();
      return archiveFacts(collections, documents);
    },
  };
}

/** Documents, indexes and options of every collection, by `database.collection`. */
export function archiveFacts(
  collections: readonly ArchivedCollection[],
  documents: ReadonlyMap<string, number>,
): Facts {
  const facts: Record<'documents' | 'indexes' | 'options', Record<string, FactValue>> = {
    documents: {},
    indexes: {},
    options: {},
  };
  for (const collection of collections.filter(isRestored)) {
    const namespace = `${collection.database}.${collection.name}`;
    const { options, indexes } = readDefinition(collection.metadata);
    if (collection.type !== 'view') {
      facts.documents[namespace] = documents.get(dataNamespace(collection)) ?? 0;
      facts.indexes[namespace] = indexes;
    }
    if (options !== '') facts.options[namespace] = options;
  }
  const oplog = documents.get('.oplog');
  const users = documents.get('admin.system.users') ?? usersOf(documents);
  return {
    ...facts,
    ...(oplog === undefined ? {} : { oplog }),
    ...(users === undefined ? {} : { users }),
  };
}

const usersOf = (documents: ReadonlyMap<string, number>): number | undefined =>
  [...documents].find(([namespace]) => namespace.endsWith('.$admin.system.users'))?.[1];
