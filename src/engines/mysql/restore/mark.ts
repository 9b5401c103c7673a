import type { Session } from '../server/connection.ts';
import { MARK_TABLE } from '../server/database-facts.ts';
import { qualified } from '../server/quote.ts';

/** How far a restore has come, and what undoes it: stands in the database that it builds, for the next one to find. */
export type Mark = {
  /** The database that is restored. */
  readonly destination: string;
} & (
  | { readonly step: 'fill'; readonly drops: 'database' | 'objects' }
  | { readonly step: 'swap'; readonly old: string; readonly arriving: number; readonly script: string }
  | { readonly step: 'triggers-off'; readonly script: string; readonly made: readonly string[] }
  | { readonly step: 'done' }
);

/** Writes the mark of a database, or changes it. */
export async function writeMark(session: Session, database: string, mark: Mark): Promise<void> {
  const table = qualified(database, MARK_TABLE);
  await session.query(
    `CREATE TABLE IF NOT EXISTS ${table} (id int PRIMARY KEY, body longtext CHARACTER SET utf8mb4 NOT NULL) ENGINE=InnoDB`,
  );
  await session.query(`REPLACE INTO ${table} VALUES (1, ?)`, [JSON.stringify(mark)]);
}

/** Null where a database has none; one without a row was about to be made. */
export async function readMark(session: Session, database: string): Promise<Mark | 'unwritten' | null> {
  const found = await session.query(
    'SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?',
    [database, MARK_TABLE],
  );
  if (found.length === 0) return null;
  const [row] = await session.query<{ readonly body: string }>(`SELECT body FROM ${qualified(database, MARK_TABLE)}`);
  return row === undefined ? 'unwritten' : (JSON.parse(row.body) as Mark);
}

export async function dropMark(session: Session, database: string): Promise<void> {
  await session.query(`DROP TABLE IF EXISTS ${qualified(database, MARK_TABLE)}`);
}
