import type { Session } from './connection.ts';

export interface TableInfo {
  readonly name: string;
  readonly type: 'BASE TABLE' | 'VIEW' | 'SEQUENCE' | 'SYSTEM VERSIONED';
  /** Null for a view, or a table that cannot be opened. */
  readonly engine: string | null;
  readonly comment: string;
}

/** Everything in a database that has rows or shows some, sorted. */
export async function readTables(session: Session, database: string): Promise<readonly TableInfo[]> {
  return session.query<TableInfo>(
    `SELECT TABLE_NAME AS name, TABLE_TYPE AS type, ENGINE AS engine, TABLE_COMMENT AS comment
     FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? ORDER BY TABLE_NAME`,
    [database],
  );
}

export const holdsRows = ({ type }: TableInfo): boolean => type === 'BASE TABLE' || type === 'SYSTEM VERSIONED';

/** Something that a database runs: with the statement that made it. */
export interface StoredObject {
  readonly kind: 'trigger' | 'procedure' | 'function' | 'package' | 'package body' | 'event' | 'library';
  readonly name: string;
  readonly definer: string;
}

/** Triggers, routines and events of a database; those of events only where the user may see them. */
export async function readStoredObjects(session: Session, database: string): Promise<readonly StoredObject[]> {
  return session.query<StoredObject>(
    `SELECT 'trigger' AS kind, TRIGGER_NAME AS name, DEFINER AS definer FROM information_schema.TRIGGERS
       WHERE TRIGGER_SCHEMA = ?
     UNION ALL SELECT LOWER(ROUTINE_TYPE), ROUTINE_NAME, DEFINER FROM information_schema.ROUTINES
       WHERE ROUTINE_SCHEMA = ?
     UNION ALL SELECT 'event', EVENT_NAME, DEFINER FROM information_schema.EVENTS WHERE EVENT_SCHEMA = ?
     ORDER BY 1, 2`,
    [database, database, database],
  );
}
