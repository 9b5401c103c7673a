import type { Session } from '../server/connection.ts';
import { type ForeignKeyMatch, IS_WHOLE_KEY, isOrphan, MATCH_COLUMNS } from '../server/foreign-key-rows.ts';

interface ForeignKey extends ForeignKeyMatch {
  readonly name: string;
  /** As SQL text: `app.orders`, and without those that inherit from it. */
  readonly child: string;
  readonly childRows: string;
  readonly parent: string;
  readonly parentRows: string;
}

/**
 * Keeps rows that these tables refer to from being deleted until the transaction ends: while foreign keys are silent,
 * nothing else would notice. Tables that the user may not lock stay open.
 */
export async function lockReferenced(session: Session, tables: readonly string[]): Promise<void> {
  const rows = await session.query<{ readonly name: string }>(
    `SELECT DISTINCT f.confrelid::pg_catalog.regclass::text AS name FROM pg_catalog.pg_constraint f
     WHERE f.contype = 'f' AND f.conrelid = ANY ($1::pg_catalog.oid[]) AND NOT f.confrelid = ANY ($1::pg_catalog.oid[])
       AND pg_catalog.has_table_privilege(f.confrelid, 'UPDATE, DELETE, TRUNCATE') ORDER BY 1`,
    [tables],
  );
  if (rows.length > 0)
    await session.query(`LOCK TABLE ONLY ${rows.map(({ name }) => name).join(', ONLY ')} IN SHARE MODE`);
}

/**
 * What foreign keys from and to tables, given by oid, find wrong, one clause each. Those that do not hold for rows that are there
 * already (`NOT VALID`) are not asked.
 */
export async function brokenForeignKeys(session: Session, tables: readonly string[]): Promise<readonly string[]> {
  const keys = await session.query<ForeignKey>(
    `SELECT f.conname AS name, f.conrelid::pg_catalog.regclass::text AS child,
       CASE c.relkind WHEN 'p' THEN '' ELSE 'ONLY ' END || f.conrelid::pg_catalog.regclass::text AS "childRows",
       f.confrelid::pg_catalog.regclass::text AS parent,
       CASE p.relkind WHEN 'p' THEN '' ELSE 'ONLY ' END || f.confrelid::pg_catalog.regclass::text AS "parentRows",
       ${MATCH_COLUMNS}
     FROM pg_catalog.pg_constraint f JOIN pg_catalog.pg_class p ON p.oid = f.confrelid
     JOIN pg_catalog.pg_class c ON c.oid = f.conrelid
     WHERE f.contype = 'f' AND f.convalidated
       AND (f.conrelid = ANY ($1::pg_catalog.oid[]) OR f.confrelid = ANY ($1::pg_catalog.oid[]))
       AND ${IS_WHOLE_KEY}
     ORDER BY f.conname`,
    [tables],
  );
  const broken: string[] = [];
  for (const key of keys) {
    const count = await countOrphans(session, key);
    const rows = count === 1 ? '1 row refers' : `${count} rows refer`;
    if (count > 0) broken.push(`table ${key.child}: ${rows} to rows of ${key.parent} that are not there (${key.name})`);
  }
  return broken;
}

async function countOrphans(session: Session, key: ForeignKey): Promise<number> {
  const [row] = await session.query<{ readonly count: string }>(
    `SELECT count(*) FROM ${key.childRows} AS c WHERE ${isOrphan(key, key.parentRows)}`,
  );
  return Number(row?.count ?? 0);
}
