import { BkpError, reasonOf } from '../../../errors.ts';
import type { ScriptStatement } from '../dump/definitions.ts';
import { runDefinitions } from '../restore/run-definitions.ts';
import type { Session } from '../server/connection.ts';
import { readStoredObjects, readTables } from '../server/objects.ts';

/** Makes views, triggers, routines and events that were captured and are gone. What cannot be made is told. */
export async function makeMissingDefinitions(
  session: Session,
  database: string,
  script: readonly ScriptStatement[],
): Promise<readonly string[]> {
  const there = new Set([
    ...(await readTables(session, database)).map(({ name }) => `view ${name}`),
    ...(await readStoredObjects(session, database)).map(({ kind, name }) => `${kind} ${name}`),
  ]);
  const idOf = ({ kind, name, of }: ScriptStatement): string => {
    if (kind === 'view-stand-in') return `view ${name}`;
    return kind === 'drop' || kind === 'routine' ? `${of} ${name}` : `${kind} ${name}`;
  };
  const missing = script.filter(
    (one) => one.kind !== 'session' && !there.has(idOf(one)) && one.kind !== 'alter-database',
  );
  if (missing.length === 0) return [];
  const wanted = new Set(missing);
  try {
    await runDefinitions(session, database, script, (one) => wanted.has(one));
    return [];
  } catch (error) {
    if (!(error instanceof BkpError)) throw error;
    const names = [...new Set(missing.map(idOf))].join(', ');
    return [`not all of ${names} could be made: ${reasonOf(error)}`];
  }
}
