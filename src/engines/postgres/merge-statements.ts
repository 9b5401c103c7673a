import { targetError } from '../../errors.ts';
import type { Session } from './connection.ts';

/** Takes the lines of a script that are no rows: large objects and sequence values. */
export interface StatementMerge {
  take(line: string): Promise<void>;
  /** Sequences that are behind come forward. What this does no rollback undoes, so it comes last. */
  raiseSequences(): Promise<void>;
  readonly largeObjects: number;
}

const SETVAL = /^SELECT pg_catalog\.setval\('((?:[^']|'')*)', (-?\d+), (true|false)\);$/;
const CREATE_OBJECT = /^SELECT pg_catalog\.lo_create\('(\d+)'\);$/;
const OWN_OBJECT = /^ALTER LARGE OBJECT (\d+) OWNER TO .*;$/;
const OPEN_OBJECT = /^SELECT pg_catalog\.lo_open\('(\d+)', \d+\);$/;
const WRITE_OBJECT = /^SELECT pg_catalog\.lowrite\(0, '\\{1,2}x([0-9a-f]*)'\);$/;

export function openStatementMerge(session: Session, keepsOwners: boolean): StatementMerge {
  const values: { readonly name: string; readonly value: string; readonly called: boolean }[] = [];
  const created = new Set<string>();
  /** The missing object that is being written; undefined while one is passed over. */
  let open: { readonly oid: string; offset: number } | undefined;
  const createIfMissing = async (oid: string): Promise<void> => {
    const sql = `SELECT pg_catalog.lo_create($1) WHERE NOT EXISTS (
      SELECT FROM pg_catalog.pg_largeobject_metadata WHERE oid = $1)`;
    if ((await session.query(sql, [oid])).length > 0) created.add(oid);
  };
  return {
    get largeObjects() {
      return created.size;
    },
    async take(line) {
      const [, sequence, value = '', called] = SETVAL.exec(line) ?? [];
      if (sequence !== undefined)
        values.push({ name: sequence.replaceAll("''", "'"), value, called: called === 'true' });
      if (line.startsWith('INSERT INTO ')) {
        throw targetError('cannot merge the archive: it was made with --inserts', {
          hint: 'restore it with --mode new',
        });
      }
      const made = CREATE_OBJECT.exec(line)?.[1];
      if (made !== undefined) await createIfMissing(made);
      const owned = OWN_OBJECT.exec(line)?.[1];
      if (owned !== undefined && keepsOwners && created.has(owned)) await session.query(line);
      const opened = OPEN_OBJECT.exec(line)?.[1];
      if (opened !== undefined) {
        if (!created.has(opened)) await createIfMissing(opened);
        open = created.has(opened) ? { oid: opened, offset: 0 } : undefined;
      }
      const hex = WRITE_OBJECT.exec(line)?.[1];
      if (hex === undefined || open === undefined) return;
      await session.query(`SELECT pg_catalog.lo_put($1, $2, pg_catalog.decode($3, 'hex'))`, [
        open.oid,
        open.offset,
        hex,
      ]);
      open.offset += hex.length / 2;
    },
    async raiseSequences() {
      for (const { name, value, called } of values) {
        const [there] = await session.query<{ readonly found: boolean }>(
          `SELECT EXISTS (SELECT FROM pg_catalog.pg_sequence WHERE seqrelid = pg_catalog.to_regclass($1)) AS found`,
          [name],
        );
        if (there?.found !== true) continue;
        await session.query(
          `SELECT pg_catalog.setval(q.seqrelid, $2::bigint, $3) FROM ${name} AS s, pg_catalog.pg_sequence AS q
           WHERE q.seqrelid = pg_catalog.to_regclass($1) AND $2::bigint BETWEEN q.seqmin AND q.seqmax
             AND ($2::bigint = s.last_value AND $3 AND NOT s.is_called
               OR CASE WHEN q.seqincrement > 0 THEN $2::bigint > s.last_value ELSE $2::bigint < s.last_value END)`,
          [name, value, called],
        );
      }
    },
  };
}
