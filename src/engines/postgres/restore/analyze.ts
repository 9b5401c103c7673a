import type { Session } from '../server/connection.ts';
import { quoteIdentifier } from '../server/quote.ts';

/** Tables whose rows partly stay on other servers: as partitions or as children. */
const ABROAD = `
  WITH RECURSIVE abroad (relid) AS (
    SELECT inhparent FROM pg_catalog.pg_inherits JOIN pg_catalog.pg_class c ON c.oid = inhrelid WHERE c.relkind = 'f'
    UNION SELECT inhparent FROM pg_catalog.pg_inherits JOIN abroad ON abroad.relid = inhrelid)`;

/**
 * Gathers the statistics that no dump brings. Other servers are left alone: a sample of a table with partitions there would
 * need them, and a restore must not.
 */
export async function analyzeDatabase(session: Session): Promise<void> {
  const abroad = await session.query(`${ABROAD} SELECT FROM abroad LIMIT 1`);
  if (abroad.length === 0) {
    await session.query('ANALYZE');
    return;
  }
  const near = await session.query<{ readonly schema: string; readonly name: string }>(
    `${ABROAD} SELECT n.nspname AS schema, c.relname AS name
     FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'm', 'p') AND c.relpersistence <> 't' AND c.oid NOT IN (SELECT relid FROM abroad)
       AND n.nspname NOT IN ('pg_toast', 'information_schema') AND pg_catalog.pg_has_role(c.relowner, 'USAGE')`,
  );
  const names = near.map(({ schema, name }) => `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`);
  if (names.length > 0) await session.query(`ANALYZE ${names.join(', ')}`);
}
