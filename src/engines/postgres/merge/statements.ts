import { targetError } from '../../../errors.ts';
import type { Session } from '../server/connection.ts';
import { parseCopy } from '../script/copy-script.ts';
import { type LargeObjectOptions, type LargeObjects, openLargeObjects } from './large-objects.ts';
import { tableKey } from '../server/table-key.ts';

/** Takes the lines of a script that are no rows: large objects and sequence values. */
export interface StatementTaker {
  take(line: string): Promise<void>;
  /**
   * Sequences that are behind come forward; those that this transaction made, by key, get the captured values. What this
   * does no rollback undoes, so it comes last.
   */
  raiseSequences(made: ReadonlySet<string>): Promise<void>;
  /** Sequences get the captured values, also back, until the transaction ends otherwise. */
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

export interface StatementOptions {
  /** Null where large objects stay out. */
  readonly objects: LargeObjectOptions | null;
  /** Keys of the sequences that are meant; null means all. */
  readonly sequences: ReadonlySet<string> | null;
}

export function openStatements(session: Session, options: StatementOptions): StatementTaker {
  const values: SequenceValue[] = [];
  const objects = openLargeObjects(session, options.objects ?? { overwrite: false, unowned: null });
  const isMeant = (name: string): boolean => options.sequences?.has(keyOfSequence(name)) !== false;
  return {
    objects,
    async take(line) {
      const [, sequence, value = '', called] = SETVAL.exec(line) ?? [];
      if (sequence !== undefined) {
        const name = sequence.replaceAll("''", "'");
        if (isMeant(name)) values.push({ name, value, called: called === 'true' });
        return;
      }
      if (line.startsWith('INSERT INTO ')) {
        throw targetError('cannot restore the archive in a transaction of its own: it was made with --inserts', {
          hint: 'restore it with --mode new',
        });
      }
      if (options.objects !== null) await objects.take(line);
    },
    async setSequences() {
      for (const value of values) {
        // A restarted sequence is a new one until the transaction ends: what is done to it can be undone.
        await session.query(`ALTER SEQUENCE ${value.name} RESTART`);
        await set(session, value);
      }
    },
    async raiseSequences(made) {
      for (const value of values) {
        await (made.has(keyOfSequence(value.name)) ? set(session, value) : raise(session, value));
      }
    },
  };
}

const keyOfSequence = (quoted: string): string => {
  const { schema, name } = parseCopy(`COPY ${quoted} FROM stdin;`);
  return tableKey(schema, name);
};

async function set(session: Session, { name, value, called }: SequenceValue): Promise<void> {
  await session.query('SELECT pg_catalog.setval($1::pg_catalog.regclass, $2::bigint, $3)', [name, value, called]);
}

async function raise(session: Session, { name, value, called }: SequenceValue): Promise<void> {
  const [there] = await session.query<{ readonly found: boolean }>(
    `SELECT EXISTS (SELECT FROM pg_catalog.pg_sequence WHERE seqrelid = pg_catalog.to_regclass($1)) AS found`,
    [name],
  );
  if (there?.found !== true) return;
  await session.query(
    `SELECT pg_catalog.setval(q.seqrelid, $2::bigint, $3) FROM ${name} AS s, pg_catalog.pg_sequence AS q
     WHERE q.seqrelid = pg_catalog.to_regclass($1) AND $2::bigint BETWEEN q.seqmin AND q.seqmax
       AND ($2::bigint = s.last_value AND $3 AND NOT s.is_called
         OR CASE WHEN q.seqincrement > 0 THEN $2::bigint > s.last_value ELSE $2::bigint < s.last_value END)`,
    [name, value, called],
  );
}
