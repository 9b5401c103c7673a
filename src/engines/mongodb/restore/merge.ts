import { type BkpError, targetError } from '../../../errors.ts';
import type { FactValue, RestoreOutcome } from '../../engine.ts';
import type { LiveCollection } from '../server/collections.ts';
import type { Session } from '../server/connection.ts';
import { asideReference } from '../server/names.ts';
import { asMoved, exchangeCollections, writtenMeanwhile } from './exchange.ts';
import { mergeDocuments, type Merged, type MergeOrder, undoMerge } from './merge-documents.ts';
import { dropIndexes, mergeIndexes } from './merge-indexes.ts';
import type { Place } from './places.ts';

const MOST_NAMED = 5;

/**
 * Adds what is missing from collections that were built beside: documents whose `_id` is not there, then indexes, then
 * whole collections. What is there wins. Once begun it ends one way or the other, abort or not.
 */
export async function mergeCollections(
  { database, live, prefix, old }: Place,
  built: readonly LiveCollection[],
  session: Session,
  skipConflicts: boolean,
): Promise<Omit<RestoreOutcome, 'facts'>> {
  const kept = new Set(live.map(({ name }) => name));
  const known = built.filter(({ name, type }) => kept.has(name) && type === 'collection');
  const brought = built.filter(({ name }) => !kept.has(name));
  const orders = known.map(({ name }): MergeOrder => ({ database, prefix, name, stopAtConflict: !skipConflicts }));
  const made: (readonly [name: string, indexes: readonly string[]])[] = [];
  const merged: Merged[] = [];
  const conflicts: string[] = [];
  const add = (found: readonly string[]): void => {
    conflicts.push(...found);
    if (conflicts.length > 0 && !skipConflicts) throw conflictError(database, conflicts);
  };
  try {
    for (const order of orders) {
      const one = await mergeDocuments(session, order);
      merged.push(one);
      add(one.conflicts.map((id) => `${order.name}: ${id} has what must be unique and is there in another document`));
    }
    for (const { name } of orders) {
      const indexes = await mergeIndexes(session, database, prefix, name);
      made.push([name, indexes.made]);
      add(indexes.conflicts);
    }
  } catch (error) {
    for (const [name, indexes] of made) await dropIndexes(session, database, name, indexes);
    await undoMerge(session, orders);
    throw error;
  }
  const late = await exchangeCollections(session, database, {
    side: prefix,
    old,
    away: [],
    bring: brought.map(asMoved),
  });
  const restored: Record<string, FactValue> = {};
  for (const { order, documents } of merged)
    if (documents > 0) restored[`collection ${database}.${order.name}`] = documents;
  for (const { name } of brought) restored[`collection ${database}.${name}`] = 'all of it';
  const keptOld = late.length === 0 ? [] : [{ type: 'mongodb', reference: asideReference(database, old) }];
  return { keptOld, restored, conflicts, warnings: late.map((name) => writtenMeanwhile(database, name)) };
}

const conflictError = (database: string, conflicts: readonly string[]): BkpError => {
  const shown = conflicts.slice(0, MOST_NAMED).join('; ');
  const more = conflicts.length - MOST_NAMED;
  return targetError(`cannot merge into database ${database}: ${shown}${more > 0 ? `; and ${more} more` : ''}`, {
    hint: 'nothing was changed; `--skip-conflicts` leaves these out',
  });
};
