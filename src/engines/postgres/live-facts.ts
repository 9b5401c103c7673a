import type { Session } from './connection.ts';
import { quoteIdentifier } from './quote.ts';
import { tableKey } from './table-key.ts';

/** What is counted of a database, in the archive and on the server. */
export type PostgresFacts = {
  /** Rows by table; tables whose rows pg_dump writes, and no others. */
  readonly tables: Readonly<Record<string, number>>;
  readonly largeObjects: number;
  /** Last values, as text because they may be beyond 2^53; null where none was taken yet. */
  readonly sequences: Readonly<Record<string, string | null>>;
};

/**
 * Tables that have rows of their own in a dump: ordinary ones and partitions, without those of extensions that the
 * extension does not ask to be dumped.
 */
const TABLES = `
  SELECT n.nspname AS schema, c.relname AS name, array_position(e.extconfig, c.oid) AS config,
    e.extcondition[array_position(e.extconfig, c.oid)] AS condition, e.oid IS NOT NULL AS extension
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid
    AND d.objsubid = 0 AND d.deptype = 'e'
  LEFT JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
  WHERE c.relkind = 'r' AND c.relpersistence IN ('p', 'u')
    AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
  ORDER BY 1, 2`;

const SEQUENCES = `
  SELECT n.nspname AS schema, c.relname AS name FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'S' AND c.relpersistence IN ('p', 'u') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e'
      AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass)
  ORDER BY 1, 2`;

/** Many small tables are counted by one query: a round trip each would take longer than the dump. */
const TABLES_PER_QUERY = 200;

interface CountedTable {
  readonly schema: string;
  readonly name: string;
  /** Only these rows of an extension's table are dumped. */
  readonly condition: string | null;
}

/** Counts everything under the session's own snapshot. */
export async function countLive(session: Session): Promise<PostgresFacts> {
  const listed = await session.query<CountedTable & { readonly extension: boolean; readonly config: number | null }>(
    TABLES,
  );
  const tables = listed.filter(({ extension, config }) => !extension || config !== null);
  const [objects] = await session.query<{ readonly count: string }>(
    'SELECT count(*) FROM pg_catalog.pg_largeobject_metadata',
  );
  return {
    tables: Object.fromEntries(await countRows(session, tables)),
    largeObjects: Number(objects?.count ?? 0),
    sequences: Object.fromEntries(await readSequences(session)),
  };
}

async function countRows(
  session: Session,
  tables: readonly CountedTable[],
): Promise<readonly (readonly [string, number])[]> {
  const counts: (readonly [string, number])[] = [];
  for (let start = 0; start < tables.length; start += TABLES_PER_QUERY) {
    const batch = tables.slice(start, start + TABLES_PER_QUERY);
    const sql = batch.map(
      ({ schema, name, condition }, index) =>
        `SELECT ${index} AS at, count(*) FROM ONLY ${quoteIdentifier(schema)}.${quoteIdentifier(name)} ${condition ?? ''}`,
    );
    const rows = await session.query<{ readonly at: number; readonly count: string }>(sql.join(' UNION ALL '));
    for (const { at, count } of rows) {
      const table = batch[at];
      if (table !== undefined) counts.push([tableKey(table.schema, table.name), Number(count)]);
    }
  }
  return counts.toSorted(([a], [b]) => (a < b ? -1 : 1));
}

async function readSequences(session: Session): Promise<readonly (readonly [string, string | null])[]> {
  const sequences = await session.query<{ readonly schema: string; readonly name: string }>(SEQUENCES);
  const values: (readonly [string, string | null])[] = [];
  for (let start = 0; start < sequences.length; start += TABLES_PER_QUERY) {
    const batch = sequences.slice(start, start + TABLES_PER_QUERY);
    const sql = batch.map(
      ({ schema, name }, index) =>
        `SELECT ${index} AS at, CASE WHEN is_called THEN last_value::text END AS value FROM ${quoteIdentifier(schema)}.${quoteIdentifier(name)}`,
    );
    const rows = await session.query<{ readonly at: number; readonly value: string | null }>(sql.join(' UNION ALL '));
    for (const { at, value } of rows) {
      const sequence = batch[at];
      if (sequence !== undefined) values.push([tableKey(sequence.schema, sequence.name), value]);
    }
  }
  return values.toSorted(([a], [b]) => (a < b ? -1 : 1));
}
