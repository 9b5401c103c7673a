import { quoteIdentifier } from './quote.ts';

/** How the rows of a foreign key refer to others: MATCH FULL or not, and column by column. */
export interface ForeignKeyMatch {
  readonly isFull: boolean;
  readonly pairs: readonly { readonly child: string; readonly parent: string; readonly operator: string }[];
}

/** Columns of a `ForeignKeyMatch`, of the constraint `f`. */
export const MATCH_COLUMNS = `f.confmatchtype = 'f' AS "isFull",
  (SELECT pg_catalog.json_agg(pg_catalog.json_build_object('child', a.attname, 'parent', b.attname, 'operator',
     'OPERATOR(' || pg_catalog.quote_ident(s.nspname) || '.' || o.oprname || ')') ORDER BY k.at)
   FROM pg_catalog.generate_subscripts(f.conkey, 1) AS k (at)
   JOIN pg_catalog.pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = f.conkey[k.at]
   JOIN pg_catalog.pg_attribute b ON b.attrelid = f.confrelid AND b.attnum = f.confkey[k.at]
   JOIN pg_catalog.pg_operator o ON o.oid = f.conpfeqop[k.at]
   JOIN pg_catalog.pg_namespace s ON s.oid = o.oprnamespace) AS pairs`;

/**
 * Copies of a key for each partition of the table it refers to are left out: the key itself looks into all of them. A
 * condition on the constraint `f`.
 */
export const IS_WHOLE_KEY = `NOT EXISTS (
  SELECT FROM pg_catalog.pg_constraint u WHERE u.oid = f.conparentid AND u.conrelid = f.conrelid)`;

/** True of a row `c` that refers to one that is not among `parentRows`, given as SQL text. */
export function isOrphan({ isFull, pairs }: ForeignKeyMatch, parentRows: string): string {
  const nulls = pairs.map(({ child }) => `c.${quoteIdentifier(child)} IS NULL`);
  const match = pairs.map(
    ({ child, parent, operator }) => `p.${quoteIdentifier(parent)} ${operator} c.${quoteIdentifier(child)}`,
  );
  const refers = isFull ? `NOT (${nulls.join(' AND ')})` : `NOT (${nulls.join(' OR ')})`;
  return `${refers} AND NOT EXISTS (SELECT FROM ${parentRows} AS p WHERE ${match.join(' AND ')})`;
}
