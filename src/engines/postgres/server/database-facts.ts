import type { Session } from './connection.ts';

/** What CREATE DATABASE needs to know again. */
export type DatabaseFacts = {
  readonly encoding: string;
  readonly collate: string;
  readonly ctype: string;
  readonly owner: string;
  /** Who compares texts, where it is not the system's library, and by which rules. */
  readonly provider?: 'icu' | 'builtin';
  readonly locale?: string;
  readonly rules?: string;
};

/** Column names differ from version to version, and the oldest have none. */
const PROVIDER = `CASE to_jsonb(d) ->> 'datlocprovider' WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' END AS provider,
  coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale') AS locale, to_jsonb(d) ->> 'daticurules' AS rules`;

/** Reads how the session's database was made. */
export async function readDatabaseFacts(session: Session): Promise<DatabaseFacts> {
  const [row] = await session.query<Readonly<Record<keyof DatabaseFacts, string | null>>>(
    `SELECT pg_catalog.pg_encoding_to_char(encoding) AS encoding, datcollate AS collate, datctype AS ctype,
      pg_catalog.pg_get_userbyid(datdba)::text AS owner, ${PROVIDER}
     FROM pg_catalog.pg_database d WHERE datname = pg_catalog.current_database()`,
  );
  if (row === undefined) throw new Error('a session without a database');
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null)) as DatabaseFacts;
}
