import type { ScriptStatement } from '../dump/definitions.ts';
import type { Session } from '../server/connection.ts';
import { dropStoredObjects } from '../server/drop-objects.ts';
import { qualified } from '../server/quote.ts';
import { runDefinitions } from '../restore/run-definitions.ts';

/** What a merge that did not end leaves for whoever undoes it. */
export interface UnfinishedMerge {
  /** JSON of the statements that make the triggers that were there. */
  readonly script: string;
  /** Tables that it made. */
  readonly made: readonly string[];
}

const isOfTrigger = ({ kind, of }: ScriptStatement): boolean =>
  kind === 'trigger' || (kind === 'drop' && of === 'trigger');

/** Takes the triggers of a database away: rows that come back were written once already. */
export const takeTriggersOff = (session: Session, database: string): Promise<void> =>
  dropStoredObjects(session, database, ({ kind }) => kind === 'trigger');

/** Makes all triggers that were there again, whichever of them are there now. */
export async function bringTriggersBack(
  session: Session,
  database: string,
  { script }: Pick<UnfinishedMerge, 'script'>,
): Promise<void> {
  await takeTriggersOff(session, database);
  await runDefinitions(session, database, JSON.parse(script) as readonly ScriptStatement[], isOfTrigger);
}

/** Drops what a merge made and nobody has written to since. */
export async function dropMade(session: Session, database: string, made: readonly string[]): Promise<void> {
  await session.query('SET SESSION foreign_key_checks = 0');
  for (const name of made) {
    const [row] = await session.query(`SELECT 1 AS found FROM ${qualified(database, name)} LIMIT 1`).catch(() => [{}]);
    if (row === undefined) await session.query(`DROP TABLE IF EXISTS ${qualified(database, name)}`);
  }
  await session.query('SET SESSION foreign_key_checks = 1');
}
