import type { Session } from '../server/connection.ts';
import { quoteIdentifier } from '../server/quote.ts';
import type { Selection } from './selection.ts';
import { tableKey } from '../server/table-key.ts';

/** What is counted of a database, in the archive and on the server. */
export type PostgresFacts = {
  /** Rows by table; tables whose rows pg_dump writes, and no others. */
  readonly tables: Readonly<Record<string, number>>;
  readonly largeObjects: number;
  /** A sum over hashes of rows by table, the same in any order and on every version; only where it was asked for. */
  readonly hashes?: Readonly<Record<string, string>>;
};

export interface CountOptions {
  /** What is dumped where that is not everything. */
  readonly selection: Selection | null;
  readonly hash: boolean;
}

/**
 * Tables that have rows of their own in a dump: ordinary ones and partitions, without those of extensions that the
 * extension does not ask to be dumped.
 */
const TABLES = `
  SELECT c.oid::int8 AS oid, n.nspname AS schema, c.relname AS name, array_position(e.extconfig, c.oid) AS config,
    e.extcondition[array_position(e.extconfig, c.oid)] AS condition, e.oid IS NOT NULL AS extension
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid
    AND d.objsubid = 0 AND d.deptype = 'e'
  LEFT JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
  WHERE c.relkind = 'r' AND c.relpersistence IN ('p', 'u')
    AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
  ORDER BY 2, 3`;

/** Many small tables are counted by one query: a round trip each would take longer than the dump. */
const TABLES_PER_QUERY = 200;

interface CountedTable {
  readonly schema: string;
  readonly name: string;
  /** Only these rows of an extension's table are dumped. */
  readonly condition: string | null;
}

/** Counts what a dump holds, under the session's own snapshot. */
export async function countLive(
  session: Session,
  { selection, hash }: CountOptions = { selection: null, hash: false },
): Promise<PostgresFacts> {
  const listed = await session.query<
    CountedTable & { readonly oid: string; readonly extension: boolean; readonly config: number | null }
  >(TABLES);
  const dumped = selection === null ? null : new Set(selection.tables);
  const tables = listed.filter(
    ({ oid, extension, config }) => (!extension || config !== null) && dumped?.has(Number(oid)) !== false,
  );
  const [objects] = await session.query<{ readonly count: string }>(
    'SELECT count(*) FROM pg_catalog.pg_largeobject_metadata',
  );
  const counts = await countRows(session, tables, hash);
  return {
    tables: Object.fromEntries(counts.map(({ key, rows }) => [key, rows])),
    largeObjects: selection?.hasLargeObjects === false ? 0 : Number(objects?.count ?? 0),
    ...(hash ? { hashes: Object.fromEntries(counts.map((count) => [count.key, count.hash ?? ''])) } : {}),
  };
}

interface Count {
  readonly key: string;
  readonly rows: number;
  readonly hash: string | null;
}

/** A row as text depends on these. */
const PINNED = `SELECT pg_catalog.set_config(name, value, true) FROM (VALUES ('search_path', ''), ('TimeZone', 'UTC'),
  ('DateStyle', 'ISO, YMD'), ('IntervalStyle', 'iso_8601'), ('extra_float_digits', '3'), ('bytea_output', 'hex'),
  ('lc_monetary', 'C'), ('xmlbinary', 'base64')) AS pinned (name, value)`;

async function countRows(session: Session, tables: readonly CountedTable[], hash: boolean): Promise<readonly Count[]> {
  const counts: Count[] = [];
  const value = hash ? HASH : 'NULL';
  if (hash) await session.query(`SAVEPOINT bkp_hash`);
  if (hash) await session.query(PINNED);
  for (let start = 0; start < tables.length; start += TABLES_PER_QUERY) {
    const batch = tables.slice(start, start + TABLES_PER_QUERY);
    const sql = batch.map(
      ({ schema, name, condition }, index) =>
        `SELECT ${index} AS at, count(*), ${value} AS hash FROM ONLY ${quoteIdentifier(schema)}.${quoteIdentifier(name)} AS bkp_row ${condition ?? ''}`,
    );
    const rows = await session.query<{ readonly at: number; readonly count: string; readonly hash: string | null }>(
      sql.join(' UNION ALL '),
    );
    for (const { at, count, hash: sum } of rows) {
      const table = batch[at];
      if (table !== undefined) counts.push({ key: tableKey(table.schema, table.name), rows: Number(count), hash: sum });
    }
  }
  if (hash) await session.query('ROLLBACK TO SAVEPOINT bkp_hash');
  return counts.toSorted((a, b) => (a.key < b.key ? -1 : 1));
}

/** Order does not matter to a sum, and numeric has no end. */
const HASH = `coalesce(sum(pg_catalog.hashtextextended((bkp_row.*)::text COLLATE "C", 0)::numeric), 0)::text`;
