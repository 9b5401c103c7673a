import type { ScriptStatement } from '../dump/definitions.ts';
import type { Session } from '../server/connection.ts';
import { quoteIdentifier } from '../server/quote.ts';

/** Runs a script of definitions in a database, statement by statement. Settings of the session change on the way. */
export async function runDefinitions(
  session: Session,
  database: string,
  script: readonly ScriptStatement[],
  isWanted: (statement: ScriptStatement) => boolean = () => true,
): Promise<void> {
  await session.query(`USE ${quoteIdentifier(database)}`);
  for (const statement of script)
    if (statement.kind === 'session' || isWanted(statement)) await session.query(statement.text);
}

/** Events, and what drops one before it is made. */
export const isOfEvent = ({ kind, of }: ScriptStatement): boolean =>
  kind === 'event' || (kind === 'drop' && of === 'event');

/** The same script with events that do not run. */
export const withSleepingEvents = (script: readonly ScriptStatement[]): readonly ScriptStatement[] =>
  script.map((one) =>
    one.kind === 'event'
      ? { ...one, text: one.text.replace(/(ON COMPLETION (?:NOT )?PRESERVE) ENABLE/, '$1 DISABLE') }
      : one,
  );

/** Everything but tables and rows. */
export const isDefinition = ({ kind }: ScriptStatement): boolean => kind !== 'alter-database';
