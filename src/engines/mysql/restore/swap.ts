import type { ScriptStatement } from '../dump/definitions.ts';
import type { Session } from '../server/connection.ts';
import { MARK_TABLE } from '../server/database-facts.ts';
import { dropDatabase, dropStoredObjects, dropViews } from '../server/drop-objects.ts';
import { readTables } from '../server/objects.ts';
import { qualified } from '../server/quote.ts';
import { databaseExists } from '../server/names.ts';
import { isDefinition, runDefinitions } from './run-definitions.ts';

/** A database that takes the place of another one, which goes to a third name. */
export interface Swap {
  /** Where the captured one was built. */
  readonly side: string;
  readonly database: string;
  readonly old: string;
}

/** All tables and sequences of both at once: nobody sees a part of it, or it did not happen. No trigger may be there. */
export async function renameTables(admin: Session, { side, database, old }: Swap): Promise<void> {
  const away = await renames(admin, database, old);
  const here = await renames(admin, side, database);
  const all = [...away, ...here];
  if (all.length > 0) await admin.query(`RENAME TABLE ${all.join(', ')}`);
}

async function renames(admin: Session, from: string, to: string): Promise<readonly string[]> {
  const tables = await readTables(admin, from);
  return tables
    .filter(({ name, type }) => type !== 'VIEW' && name !== MARK_TABLE)
    .map(({ name }) => `${qualified(from, name)} TO ${qualified(to, name)}`);
}

/** Drops everything of a database that is no table. */
export async function dropDefinitions(admin: Session, database: string): Promise<void> {
  await dropStoredObjects(admin, database);
  await dropViews(admin, database);
}

/** How many tables of a database a swap moves. */
export const countMoving = async (admin: Session, database: string): Promise<number> =>
  (await renames(admin, database, database)).length;

/** What a swap that did not end leaves for whoever undoes it. */
export interface UnfinishedSwap extends Swap {
  /** Tables that the captured database had. */
  readonly arriving: number;
  /** JSON of the statements that make what is no table. */
  readonly script: string;
}

/**
 * Puts everything back as it was before the swap, from wherever it stopped. The old tables are in the old database, all of
 * them or none; what makes their views, triggers, routines and events is in the script.
 */
export async function undoSwap(admin: Session, unfinished: UnfinishedSwap): Promise<void> {
  const { side, database, old, arriving, script } = unfinished;
  const hasOld = await databaseExists(admin, old);
  const isMoved = hasOld && ((await countMoving(admin, old)) > 0 || (await countMoving(admin, side)) < arriving);
  await dropDefinitions(admin, database);
  if (isMoved) {
    await dropDefinitions(admin, old);
    const back = [...(await renames(admin, database, side)), ...(await renames(admin, old, database))];
    await admin.query(`RENAME TABLE ${back.join(', ')}`);
  }
  await runDefinitions(admin, database, JSON.parse(script) as readonly ScriptStatement[], isDefinition);
  if (hasOld) await dropDatabase(admin, old);
}
