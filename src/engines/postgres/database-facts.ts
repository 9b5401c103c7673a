import type { Session } from './connection.ts';

/** What CREATE DATABASE needs to know again. */
export type DatabaseFacts = {
  readonly encoding: string;
  readonly collate: string;
  readonly ctype: string;
  readonly owner: string;
};

/** Reads how the session's database was made. */
export async function readDatabaseFacts(session: Session): Promise<DatabaseFacts> {
  const [row] = await session.query<DatabaseFacts>(
    `SELECT pg_catalog.pg_encoding_to_char(encoding) AS encoding, datcollate AS collate, datctype AS ctype,
      pg_catalog.pg_get_userbyid(datdba)::text AS owner
     FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()`,
  );
  if (row === undefined) throw new Error('a session without a database');
  return row;
}
