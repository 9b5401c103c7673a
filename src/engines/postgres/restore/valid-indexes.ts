import { integrityError } from '../../../errors.ts';
import type { Session } from '../server/connection.ts';
import { namedRelations, type Relation } from '../server/named-relations.ts';

/**
 * Throws `integrity` where an index was made and does not serve. Dumps hold none that did not serve before; one that spans
 * partitions may wait for those that never had their part, and is left out.
 */
export async function assertIndexesServe(session: Session, database: string): Promise<void> {
  const found = await session.query<Relation>(
    `SELECT n.nspname AS schema, c.relname AS name FROM pg_catalog.pg_index i
     JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind = 'i' AND c.relpersistence <> 't' AND n.nspname !~ '^pg_' AND NOT (i.indisvalid AND i.indisready)
     ORDER BY 1, 2`,
  );
  if (found.length === 0) return;
  throw integrityError(`cannot restore database ${database}: indexes are not valid: ${namedRelations(found)}`);
}
