import type { FactValue } from '../../engine.ts';
import type { Session } from '../server/connection.ts';
import { NOT_OF_EXTENSION } from '../server/not-of-extension.ts';
import { quoteIdentifier } from '../server/quote.ts';
import type { SequenceValues } from '../archive/sequence-value.ts';
import { tableKey } from '../server/table-key.ts';

/** Those whose values a dump holds: not of extensions, unless the extension asks for it. */
const SEQUENCES = `
  SELECT n.nspname AS schema, c.relname AS name FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'S' AND c.relpersistence IN ('p', 'u') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
    AND ${NOT_OF_EXTENSION}
  ORDER BY 1, 2`;

/** A round trip for each would take longer than a dump. */
const SEQUENCES_PER_QUERY = 200;

/**
 * Reads where sequences are now. They stand outside of transactions, so where others write this is no fact of a capture:
 * that is what the dump says. Given that, those that it says nothing of are left out.
 */
export async function readSequences(session: Session, said?: FactValue): Promise<SequenceValues> {
  const all = await session.query<{ readonly schema: string; readonly name: string }>(SEQUENCES);
  const isSaid = typeof said === 'object' && said !== null ? (key: string) => key in said : () => true;
  const sequences = all.filter(({ schema, name }) => isSaid(tableKey(schema, name)));
  const values: (readonly [string, string | null])[] = [];
  for (let start = 0; start < sequences.length; start += SEQUENCES_PER_QUERY) {
    const batch = sequences.slice(start, start + SEQUENCES_PER_QUERY);
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
  return Object.fromEntries(values.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
