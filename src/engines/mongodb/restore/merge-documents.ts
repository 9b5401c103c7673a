import type { Db, Document, Filter, ObjectId } from 'mongodb';
import type { Session } from '../server/connection.ts';

export interface MergeOrder {
  readonly database: string;
  /** Before the name of the collection that was built beside. */
  readonly prefix: string;
  readonly name: string;
  readonly stopAtConflict: boolean;
}

/** What of one collection came back. */
export interface Merged {
  readonly order: MergeOrder;
  /** Documents that came back. */
  readonly documents: number;
  /** What could not: the `_id` of each. */
  readonly conflicts: readonly string[];
}

const BATCH = 1000;
const DUPLICATE_KEY = 11_000;

/** Where it stands which documents came back, for the case that they must go again. */
const idsOf = ({ prefix, name }: MergeOrder): string => `${prefix}~ids.${name}`;

/**
 * Copies documents whose `_id` a collection lacks, on the server itself, so that not a byte of them changes. What is there
 * is never touched.
 */
export function mergeDocuments(session: Session, order: MergeOrder): Promise<Merged> {
  return session.in(order.database, async (db) => {
    let documents = 0;
    const conflicts: string[] = [];
    for await (const ids of missingIds(db, order)) {
      await db.collection(idsOf(order)).insertMany(ids.map((id) => ({ id })));
      const refused = (await isCopied(db, order, ids)) ? [] : await copyOneByOne(db, order, ids);
      documents += ids.length - refused.length;
      conflicts.push(...refused.map((id) => JSON.stringify(session.toJson({ _id: id }))));
      if (refused.length > 0 && order.stopAtConflict) break;
    }
    return { order, documents, conflicts };
  });
}

/** Takes away what came back. */
export async function undoMerge(session: Session, orders: readonly MergeOrder[]): Promise<void> {
  for (const order of orders) {
    await session.in(order.database, async (db) => {
      let ids: unknown[] = [];
      const take = async (): Promise<void> => {
        const chosen: Filter<Document> = { _id: { $in: ids as ObjectId[] } };
        await db.collection(order.name).deleteMany(chosen);
        ids = [];
      };
      for await (const { id } of db.collection(idsOf(order)).find({})) {
        ids.push(id);
        if (ids.length === BATCH) await take();
      }
      await take();
    });
  }
}

/** The server compares: numbers of different kinds are the same `_id`. */
async function* missingIds(db: Db, { prefix, name }: MergeOrder): AsyncGenerator<readonly unknown[]> {
  const there = {
    from: name,
    localField: '_id',
    foreignField: '_id',
    as: 'there',
    pipeline: [{ $project: { _id: 1 } }],
  };
  const stages = [
    { $project: { _id: 1 } },
    { $lookup: there },
    { $match: { there: { $size: 0 } } },
    { $project: { _id: 1 } },
  ];
  let ids: unknown[] = [];
  for await (const { _id } of db.collection(prefix + name).aggregate(stages, { allowDiskUse: true })) {
    ids.push(_id);
    if (ids.length < BATCH) continue;
    yield ids;
    ids = [];
  }
  if (ids.length > 0) yield ids;
}

async function copy(db: Db, { prefix, name }: MergeOrder, ids: readonly unknown[]): Promise<void> {
  const into = { into: name, on: '_id', whenMatched: 'keepExisting', whenNotMatched: 'insert' };
  await db
    .collection(prefix + name)
    .aggregate([{ $match: { _id: { $in: ids } } }, { $merge: into }], { bypassDocumentValidation: true })
    .toArray();
}

async function isCopied(db: Db, order: MergeOrder, ids: readonly unknown[]): Promise<boolean> {
  try {
    await copy(db, order, ids);
    return true;
  } catch (error) {
    if (isConflict(error)) return false;
    throw error;
  }
}

async function copyOneByOne(db: Db, order: MergeOrder, ids: readonly unknown[]): Promise<readonly unknown[]> {
  const refused: unknown[] = [];
  for (const id of ids) if (!(await isCopied(db, order, [id]))) refused.push(id);
  return refused;
}

/** What stands in place of a server's duplicate key in servers that keep their documents in PostgreSQL. */
const isConflict = (error: unknown): boolean => {
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  return (
    Number(code) === DUPLICATE_KEY || /duplicate key|violates (?:exclusion|unique) constraint/i.test(String(message))
  );
};
