import type { Session } from '../server/connection.ts';
import { quoteIdentifier } from '../server/quote.ts';
import { tableKey } from '../server/table-key.ts';

/** A table of the destination, as a merge sees it. */
export interface MergeTable {
  readonly oid: string;
  readonly schema: string;
  readonly name: string;
  /** Ordinary or partitioned; `other` where something else has the name now. */
  readonly kind: 'r' | 'p' | 'other';
  readonly columns: readonly { readonly name: string; readonly generated: boolean }[];
  /** What tells its rows apart: the primary key, else a unique index over columns that are never null. */
  readonly key: readonly KeyColumn[] | null;
  /** All that must be unique in it. */
  readonly uniqueKeys: readonly (readonly KeyColumn[])[];
  /** What each of its rows must hold: values that are never null, checks, the bounds of a partition. */
  readonly rules: readonly RowRule[];
  /** `ON CONFLICT` is not to be had beside rules that rewrite what is written, and rules of uniqueness that may wait. */
  readonly mayIgnore: boolean;
}

export interface RowRule {
  /** What a row does that breaks it: `breaks check positive`. */
  readonly breach: string;
  /** SQL that is false for such a row, over columns without a qualifier. */
  readonly condition: string;
  /** Columns it speaks of. */
  readonly columns: readonly string[];
}

interface KeyColumn {
  readonly name: string;
  /** The index's own notion of being equal. */
  readonly operator: string;
}

const KEY_COLUMNS = `(SELECT pg_catalog.json_agg(pg_catalog.json_build_object('name', a.attname, 'operator',
    'OPERATOR(' || pg_catalog.quote_ident(s.nspname) || '.' || o.oprname || ')') ORDER BY k.at)
  FROM pg_catalog.generate_series(0, i.indnkeyatts - 1) AS k (at)
  JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[k.at]
  JOIN pg_catalog.pg_opclass c ON c.oid = i.indclass[k.at]
  JOIN pg_catalog.pg_amop m ON m.amopfamily = c.opcfamily AND m.amoplefttype = c.opcintype
    AND m.amoprighttype = c.opcintype AND m.amopstrategy = 3
  JOIN pg_catalog.pg_operator o ON o.oid = m.amopopr
  JOIN pg_catalog.pg_namespace s ON s.oid = o.oprnamespace)`;

const RULES = `(SELECT pg_catalog.json_agg(x) FROM (
  SELECT 'lacks a value of ' || attname AS breach, pg_catalog.quote_ident(attname) || ' IS NOT NULL' AS condition,
    pg_catalog.json_build_array(attname) AS columns
  FROM pg_catalog.pg_attribute WHERE attrelid = t.oid AND attnum > 0 AND NOT attisdropped AND attnotnull
  UNION ALL SELECT 'breaks check ' || conname, pg_catalog.pg_get_expr(conbin, conrelid),
    (SELECT coalesce(pg_catalog.json_agg(attname), '[]') FROM pg_catalog.pg_attribute WHERE attrelid = t.oid AND attnum = ANY (conkey))
  FROM pg_catalog.pg_constraint WHERE conrelid = t.oid AND contype = 'c'
  UNION ALL SELECT 'does not belong into this partition', pg_catalog.pg_get_partition_constraintdef(t.oid), '[]' WHERE t.relispartition
) AS x WHERE x.condition IS NOT NULL)`;

const WHOLE = 'i.indrelid = t.oid AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL';

/** Null where nothing has the name. */
export const readMergeTable = async (session: Session, schema: string, name: string): Promise<MergeTable | null> =>
  (await readMergeTables(session, [{ schema, name }]))[0] ?? null;

/** To plan the question takes longer than to answer it. */
const TABLES_PER_QUERY = 1000;

/** Those of the names that are there, in their order. */
export async function readMergeTables(
  session: Session,
  names: readonly Pick<MergeTable, 'schema' | 'name'>[],
): Promise<readonly MergeTable[]> {
  const found: MergeTable[] = [];
  for (let start = 0; start < names.length; start += TABLES_PER_QUERY) {
    const batch = names.slice(start, start + TABLES_PER_QUERY);
    const rows = await session.query<Row>(
      `SELECT t.oid::text, n.nspname AS schema, t.relname AS name,
         CASE WHEN t.relkind IN ('r', 'p') THEN t.relkind::text ELSE 'other' END AS kind,
         (SELECT pg_catalog.json_agg(pg_catalog.json_build_object('name', attname, 'generated', attgenerated <> '') ORDER BY attnum)
          FROM pg_catalog.pg_attribute WHERE attrelid = t.oid AND attnum > 0 AND NOT attisdropped) AS columns,
         (SELECT ${KEY_COLUMNS} FROM pg_catalog.pg_index i WHERE ${WHOLE} AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = t.oid AND a.attnum = ANY (i.indkey) AND NOT a.attnotnull)
          ORDER BY i.indisprimary DESC, i.indnkeyatts, i.indexrelid LIMIT 1) AS key,
         (SELECT pg_catalog.json_agg(${KEY_COLUMNS}) FROM pg_catalog.pg_index i WHERE ${WHOLE}) AS "uniqueKeys",
         ${RULES} AS rules,
         NOT EXISTS (SELECT FROM pg_catalog.pg_rewrite WHERE ev_class = t.oid AND ev_type IN ('2', '3'))
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_index WHERE indrelid = t.oid AND NOT indimmediate) AS "mayIgnore"
       FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) WITH ORDINALITY AS w (schema, name, at)
       JOIN pg_catalog.pg_namespace n ON n.nspname = w.schema
       JOIN pg_catalog.pg_class t ON t.relname = w.name AND t.relnamespace = n.oid ORDER BY w.at`,
      [batch.map(({ schema }) => schema), batch.map(({ name }) => name)],
    );
    for (const row of rows) {
      const { columns, uniqueKeys, rules } = row;
      found.push({ ...row, columns: columns ?? [], uniqueKeys: uniqueKeys ?? [], rules: rules ?? [] });
    }
  }
  return found;
}

type Row = Omit<MergeTable, keyof Nullable> & Nullable;

interface Nullable {
  readonly columns: MergeTable['columns'] | null;
  readonly uniqueKeys: MergeTable['uniqueKeys'] | null;
  readonly rules: MergeTable['rules'] | null;
}

export const qualified = ({ schema, name }: Pick<MergeTable, 'schema' | 'name'>): string =>
  `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`;

/** How it is called in reports. */
export const labelOf = ({ schema, name }: Pick<MergeTable, 'schema' | 'name'>): string =>
  `table ${tableKey(schema, name)}`;

/** A table without those that inherit from it; a partitioned one has no rows of its own. */
export const rowsOf = (table: MergeTable): string => `${table.kind === 'r' ? 'ONLY ' : ''}${qualified(table)}`;
