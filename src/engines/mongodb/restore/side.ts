import { randomBytes } from 'node:crypto';
import { targetError } from '../../../errors.ts';
import type { ArchivedCollection } from '../archive/archive-reader.ts';
import { listAll, type LiveCollection } from '../server/collections.ts';
import type { Session } from '../server/connection.ts';
import { isUnfinishedName, LONGEST_NAMESPACE, newPrefix, oldPrefix } from '../server/names.ts';

/** Two letters and digits: killed programs may write on for a while, and must not meet the next restore. */
export const uniqueNewPrefix = (snapshot: string): string => newPrefix(snapshot, randomBytes(2).toString('hex'));

/** The first prefix for what is set aside that no collection has. */
export function freeOldPrefix(snapshot: string, all: readonly LiveCollection[]): string {
  for (let number = 1; ; number += 1) {
    const prefix = oldPrefix(snapshot, number);
    if (!all.some(({ name }) => name.startsWith(prefix))) return prefix;
  }
}

/** What stands under a prefix, by the names without it. */
export const under = (prefix: string, all: readonly LiveCollection[]): readonly LiveCollection[] =>
  all.flatMap((one) => (one.name.startsWith(prefix) ? [{ ...one, name: one.name.slice(prefix.length) }] : []));

/** Drops what restores that died were building; what stands under `kept` stays. */
export async function dropUnfinished(session: Session, database: string, prefix: string | null): Promise<void> {
  const all = await listAll(session, database);
  const left = all.filter(({ name }) => (prefix === null ? isUnfinishedName(name) : name.startsWith(prefix)));
  for (const { name } of left) await dropCollection(session, database, name);
}

/** One that is gone is no failure. */
export async function dropCollection(session: Session, database: string, name: string): Promise<void> {
  await session.in(database, (db) => db.dropCollection(name).catch(unlessGone));
}

const NAMESPACE_NOT_FOUND = 26;

export function unlessGone(error: unknown): void {
  if ((error as { readonly code?: unknown }).code !== NAMESPACE_NOT_FOUND) throw error;
}

/** Throws `target` where names would be too long under a prefix. */
export function assertNamesFit(
  database: string,
  collections: readonly Pick<ArchivedCollection, 'name'>[],
  prefix: string,
): void {
  const long = collections.find(({ name }) => Buffer.byteLength(`${database}.${prefix}${name}`) > LONGEST_NAMESPACE);
  if (long === undefined) return;
  throw targetError(
    `cannot restore database ${database}: the name of collection ${long.name} is too long to build it beside`,
    {
      hint: `restore into a database with a shorter name, or rename the collection`,
    },
  );
}
