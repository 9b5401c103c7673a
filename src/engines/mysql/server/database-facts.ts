import type { Session } from './connection.ts';
import { qualified } from './quote.ts';
import { holdsRows, readStoredObjects, readTables } from './objects.ts';

/** The name of the table that marks a database that a restore is filling. */
export const MARK_TABLE = '_bkp_unfinished_restore';

/** Engines of tables whose rows are those of other tables: a dump has none of them. */
export const ROWS_ELSEWHERE: readonly string[] = ['mrg_myisam', 'federated', 'connect', 'spider'];

export type DatabaseFacts = {
  readonly tables: Readonly<Record<string, number>>;
  readonly views: number;
  readonly triggers: number;
  readonly routines: number;
  readonly events: number;
};

/**
 * Counts everything in a database, as the inspector of dumps does; `sequences` stands there where there are some. With
 * `definitions` no rows are counted.
 */
export async function countDatabase(
  session: Session,
  database: string,
  what: 'rows' | 'definitions' = 'rows',
): Promise<DatabaseFacts> {
  const all = (await readTables(session, database)).filter(({ name }) => name !== MARK_TABLE);
  const tables: Record<string, number> = {};
  for (const { name, engine } of all.filter(holdsRows).toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const isElsewhere = ROWS_ELSEWHERE.includes(engine?.toLowerCase() ?? '');
    tables[name] = isElsewhere || what === 'definitions' ? 0 : await countRows(session, qualified(database, name));
  }
  const objects = await readStoredObjects(session, database);
  const count = (...kinds: readonly string[]): number => objects.filter(({ kind }) => kinds.includes(kind)).length;
  const sequences = all.filter(({ type }) => type === 'SEQUENCE').length;
  return {
    tables,
    views: all.filter(({ type }) => type === 'VIEW').length,
    triggers: count('trigger'),
    routines: objects.length - count('trigger', 'event'),
    events: count('event'),
    ...(sequences === 0 ? {} : { sequences }),
  };
}

async function countRows(session: Session, table: string): Promise<number> {
  const [row] = await session.query<{ readonly n: string }>(`SELECT COUNT(*) AS n FROM ${table}`);
  return Number(row?.n ?? 0);
}

/** How a database makes what says nothing of itself. */
export async function readCharacterSet(
  session: Session,
  database: string,
): Promise<{ readonly characterSet: string; readonly collation: string } | null> {
  const [row] = await session.query<{ readonly characterSet: string; readonly collation: string }>(
    `SELECT DEFAULT_CHARACTER_SET_NAME AS characterSet, DEFAULT_COLLATION_NAME AS collation
     FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ?`,
    [database],
  );
  return row === undefined ? null : { characterSet: row.characterSet, collation: row.collation };
}
