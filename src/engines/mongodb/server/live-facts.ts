import type { FactValue } from '../../engine.ts';
import { defineCollection } from '../archive/definitions.ts';
import type { LiveCollection } from './collections.ts';
import type { Session } from './connection.ts';

/** What a server tells of collections; the same as is read from an archive. */
export interface LiveFacts {
  readonly documents: Readonly<Record<string, number>>;
  readonly indexes: Readonly<Record<string, FactValue>>;
  readonly options: Readonly<Record<string, string>>;
}

/** Counts the documents of collections and reads how they are defined; `nameOf` says what each is called in the archive. */
export async function readLiveFacts(
  session: Session,
  database: string,
  collections: readonly LiveCollection[],
  nameOf: (collection: string) => string,
): Promise<LiveFacts> {
  const documents: Record<string, number> = {};
  const indexes: Record<string, FactValue> = {};
  const options: Record<string, string> = {};
  for (const collection of collections) {
    const name = nameOf(collection.name);
    const isView = collection.type === 'view';
    const listed = isView ? [] : await listIndexes(session, database, collection.name);
    const defined = defineCollection(collection.type, objectOf(session.toJson(collection.options)), listed);
    if (defined.options !== '') options[name] = defined.options;
    if (isView) continue;
    const counted = collection.type === 'timeseries' ? `system.buckets.${collection.name}` : collection.name;
    documents[name] = await session.in(database, async (db) => Number(await db.collection(counted).countDocuments({})));
    indexes[name] = defined.indexes;
  }
  return { documents, indexes, options };
}

type JsonObject = Parameters<typeof defineCollection>[1];

async function listIndexes(session: Session, database: string, name: string): Promise<readonly JsonObject[]> {
  const listed = await session.in(database, (db) => db.collection(name).listIndexes().toArray());
  return listed.map((index) => objectOf(session.toJson(index)));
}

const objectOf = (value: unknown): JsonObject => value as JsonObject;
