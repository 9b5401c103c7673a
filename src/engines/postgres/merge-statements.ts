import { targetError } from '../../errors.ts';
import type { Session } from './connection.ts';
import { type LargeObjectOptions, type LargeObjects, openLargeObjects } from './large-objects.ts';

/** Takes the lines of a script that are no rows: large objects and sequence values. */
export interface StatementTaker {
  take(line: string): Promise<void>;
  /** Sequences that are behind come forward. What this does no rollback undoes, so it comes last. */
  raiseSequences(): Promise<void>;
  /** Sequences get the captured values. Only for those that this transaction has made: others no rollback would undo. */
  setSequences(): Promise<void>;
  readonly objects: LargeObjects;
}

const SETVAL = /^SELECT pg_catalog\.setval\('((?:[^']|'')*)', (-?\d+), (true|false)\);$/;

interface SequenceValue {
  /** Qualified and quoted. */
  readonly name: string;
  readonly value: string;
  readonly called: boolean;
}

export function openStatements(session: Session, options: LargeObjectOptions): StatementTaker {
  const values: SequenceValue[] = [];
  const objects = openLargeObjects(session, options);
  return {
    objects,
    async take(line) {
      const [, sequence, value = '', called] = SETVAL.exec(line) ?? [];
      if (sequence !== undefined) {
        values.push({ name: sequence.replaceAll("''", "'"), value, called: called === 'true' });
        return;
      }
      if (line.startsWith('INSERT INTO ')) {
        throw targetError('cannot restore the archive in a transaction of its own: it was made with --inserts', {
          hint: 'restore it with --mode new',
        });
      }
      await objects.take(line);
    },
    async setSequences() {
      for (const { name, value, called } of values) {
        await session.query('SELECT pg_catalog.setval($1::pg_catalog.regclass, $2::bigint, $3)', [name, value, called]);
      }
    },
    raiseSequences: () => raise(session, values),
  };
}

async function raise(session: Session, values: readonly SequenceValue[]): Promise<void> {
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
}
