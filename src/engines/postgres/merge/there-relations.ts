import type { Session } from '../server/connection.ts';
import { tableKey } from '../server/table-key.ts';

/** Kinds of `pg_class` by key: tables, views, sequences and indexes that are there. */
export type ThereRelations = ReadonlyMap<string, string>;

export async function readThere(session: Session): Promise<ThereRelations> {
  const rows = await session.query<{ readonly schema: string; readonly name: string; readonly kind: string }>(
    `SELECT n.nspname AS schema, c.relname AS name, c.relkind AS kind FROM pg_catalog.pg_class c
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND c.relpersistence <> 't'`,
  );
  return new Map(rows.map(({ schema, name, kind }) => [tableKey(schema, name), kind]));
}
