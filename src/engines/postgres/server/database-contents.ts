import type { Session } from './connection.ts';

/** How much is in a database. */
export interface DatabaseContents {
  /** Ordinary and partitioned tables of the user's own. */
  readonly tables: number;
  /** Objects of any kind that somebody made, and that no extension brought. */
  readonly objects: number;
  readonly bytes: number;
}

/** Below it stands what every new database has. */
const FIRST_OWN_OID = 16_384;

const catalogs = [
  'pg_proc',
  'pg_type',
  'pg_operator',
  'pg_collation',
  'pg_conversion',
  'pg_foreign_data_wrapper',
  'pg_foreign_server',
  'pg_event_trigger',
  'pg_publication',
  'pg_ts_config',
  'pg_ts_dict',
  'pg_largeobject_metadata',
]
  .map((name) => `UNION ALL SELECT 'pg_catalog.${name}'::pg_catalog.regclass, oid, false FROM pg_catalog.${name}`)
  .join('\n');

/** Looks into the session's database. */
export async function readContents(session: Session): Promise<DatabaseContents> {
  const [row] = await session.query<{ readonly [key in keyof DatabaseContents]: string }>(
    `WITH own (class, object, is_table) AS (
       SELECT 'pg_catalog.pg_class'::pg_catalog.regclass, oid, relkind IN ('r', 'p') FROM pg_catalog.pg_class
         WHERE relpersistence <> 't' AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c')
       UNION ALL SELECT 'pg_catalog.pg_namespace'::pg_catalog.regclass, oid, false FROM pg_catalog.pg_namespace
         WHERE nspname <> 'public' AND nspname !~ '^pg_(toast_)?temp_'
       ${catalogs})
     SELECT count(*) FILTER (WHERE is_table) AS tables, count(*) AS objects,
       pg_catalog.pg_database_size(pg_catalog.current_database()) AS bytes
     FROM own WHERE object >= ${FIRST_OWN_OID} AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
       WHERE d.classid = own.class AND d.objid = own.object AND d.deptype = 'e')`,
  );
  return { tables: Number(row?.tables ?? 0), objects: Number(row?.objects ?? 0), bytes: Number(row?.bytes ?? 0) };
}
