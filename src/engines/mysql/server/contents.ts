import { formatBytes } from '../../../format-bytes.ts';
import type { Session } from './connection.ts';
import { MARK_TABLE } from './database-facts.ts';
import { databaseExists } from './names.ts';
import { readStoredObjects } from './objects.ts';

/** What a database holds, as far as the user may see. */
export interface Contents {
  readonly tables: number;
  readonly objects: number;
  readonly bytes: number;
}

/** Null where there is no such database. */
export async function readContents(session: Session, database: string): Promise<Contents | null> {
  if (!(await databaseExists(session, database))) return null;
  const [row] = await session.query<{ readonly tables: string; readonly all: string; readonly bytes: string | null }>(
    `SELECT COALESCE(SUM(TABLE_TYPE <> 'VIEW'), 0) AS tables, COUNT(*) AS \`all\`,
       SUM(COALESCE(DATA_LENGTH, 0) + COALESCE(INDEX_LENGTH, 0)) AS bytes
     FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME <> ?`,
    [database, MARK_TABLE],
  );
  const objects = await readStoredObjects(session, database);
  return {
    tables: Number(row?.tables ?? 0),
    objects: Number(row?.all ?? 0) + objects.length,
    bytes: Number(row?.bytes ?? 0),
  };
}

export const liveState = (contents: Contents | null): 'absent' | 'empty' | 'occupied' =>
  contents === null ? 'absent' : contents.objects === 0 ? 'empty' : 'occupied';

/** `118 tables, 412 MiB`. */
export function describeContents({ tables, objects, bytes }: Contents): string {
  if (tables === 0) return `${objects} ${objects === 1 ? 'object' : 'objects'} and no table`;
  return `${tables.toLocaleString('en')} ${tables === 1 ? 'table' : 'tables'}, ${formatBytes(bytes)}`;
}
