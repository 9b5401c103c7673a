import { type BkpError, targetError } from '../../../errors.ts';
import type { PostgresTarget, Session } from '../server/connection.ts';
import { quoteIdentifier } from '../server/quote.ts';
import { tableKey } from '../server/table-key.ts';

/** A table that held rows when it was looked at. */
export interface FilledTable {
  readonly key: string;
  /** Rows of a partition may come as those of its table. */
  readonly root: string;
}

const TABLES_PER_QUERY = 200;
const MOST_NAMED = 5;

/** Tables, not those of extensions, that hold rows now. */
export async function readFilledTables(session: Session): Promise<readonly FilledTable[]> {
  const all = await session.query<{
    readonly schema: string;
    readonly name: string;
    readonly rootSchema: string;
    readonly rootName: string;
  }>(
    `SELECT n.nspname AS schema, c.relname AS name,
       rn.nspname AS "rootSchema", r.relname AS "rootName" FROM pg_catalog.pg_class c
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     JOIN pg_catalog.pg_class r ON r.oid = coalesce(pg_catalog.pg_partition_root(c.oid)::pg_catalog.oid, c.oid)
     JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace
     WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
         AND d.objid = c.oid AND d.deptype = 'e')`,
  );
  const filled: FilledTable[] = [];
  for (let start = 0; start < all.length; start += TABLES_PER_QUERY) {
    const batch = all.slice(start, start + TABLES_PER_QUERY);
    const sql = batch.map(
      ({ schema, name }, at) =>
        `SELECT ${at} AS at WHERE EXISTS (SELECT FROM ONLY ${quoteIdentifier(schema)}.${quoteIdentifier(name)})`,
    );
    for (const { at } of await session.query<{ readonly at: number }>(sql.join(' UNION ALL '))) {
      const table = batch[at];
      if (table === undefined) continue;
      const root = tableKey(table.rootSchema, table.rootName);
      filled.push({ key: tableKey(table.schema, table.name), root });
    }
  }
  return filled;
}

/**
 * Throws `target` where rows would go for which the archive brings none, because they were left out of the capture: no
 * snapshot has them, the one before this restore included. `brought` has the tables whose rows came, however few.
 */
export function assertRowsBrought(
  filled: readonly FilledTable[],
  brought: ReadonlySet<string>,
  { database }: Pick<PostgresTarget, 'database'>,
): void {
  const lost = filled.filter(({ key, root }) => !brought.has(key) && !brought.has(root)).map(({ key }) => key);
  if (lost.length > 0) throw lostError(database, lost);
}

const lostError = (database: string, lost: readonly string[]): BkpError =>
  targetError(
    `cannot replace rows of database ${database} in place: the snapshot was taken without those of ${lost.slice(0, MOST_NAMED).join(', ')}${
      lost.length > MOST_NAMED ? ` and ${lost.length - MOST_NAMED} more` : ''
    }`,
    { hint: 'nothing was changed; restore beside it, or use `--mode merge`' },
  );
