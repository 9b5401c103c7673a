import type { Session } from './connection.ts';
import { tableKey } from './table-key.ts';

export interface Relation {
  readonly schema: string;
  readonly name: string;
}

/** Relations, but for those given by oid, for which a condition on `c` (pg_class) and `n` (pg_namespace) holds. */
export const relationsWhere = (
  session: Session,
  leftOut: readonly number[],
  condition: string,
): Promise<readonly Relation[]> =>
  session.query<Relation>(
    `SELECT n.nspname AS schema, c.relname AS name FROM pg_catalog.pg_class c
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.oid <> ALL ($1::oid[]) AND ${condition} ORDER BY 1, 2`,
    [leftOut],
  );

const MOST_NAMED = 5;

/** `public.events, app."Odd" and 12 more`. */
export const namedRelations = (found: readonly Relation[]): string =>
  named(found.map(({ schema, name }) => tableKey(schema, name)));

/** The first few of many, and how many more there are. */
export function named(names: readonly string[], total: number = names.length): string {
  const shown = names.slice(0, MOST_NAMED).join(', ');
  return total <= MOST_NAMED ? shown : `${shown} and ${(total - MOST_NAMED).toLocaleString('en')} more`;
}
