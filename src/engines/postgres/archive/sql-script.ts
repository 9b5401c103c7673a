import { type BkpError, integrityError } from '../../../errors.ts';
import type { RawReader } from '../../engine.ts';
import { decoderOf } from './client-encoding.ts';
import { dumpFacts } from './dump-facts.ts';
import { parseCopyTarget } from './copy-target.ts';
import { parseSequenceValue } from './sequence-value.ts';
import { createSqlLexer } from './sql-lexer.ts';
import { tableKey } from '../server/table-key.ts';

const [C, S, DASH, BACKSLASH] = [0x43, 0x53, 0x2d, 0x5c];
const END_MARK = '-- PostgreSQL database dump complete';
/** The longest line that matters, a COPY aside. */
const MOST_LINE_BYTES = 1024;
const DATA_OF = /^-- Data for Name: (.*); Type: TABLE DATA; Schema: (.*); Owner: /s;
const VIA_ROOT = '-- load via partition root ';
const LARGE_OBJECT = /^SELECT pg_catalog\.lo_open\('\d+', 131072\);$/;

/**
 * Sees a dump as plain SQL, from pg_dump or pg_restore, while it passes. Throws `integrity` for one that is cut: the end
 * mark is missing, or what stands before or after it is not whole.
 */
export function openSqlInspector(): RawReader {
  const tables = new Map<string, number>();
  const sequences = new Map<string, string | null>();
  let largeObjects = 0;
  let decoder = decoderOf('');
  let table = '';
  /** The table of the last heading, and whether its rows are written as those of its partitioned table. */
  let headed = '';
  let isViaRoot = false;
  /** Lines of the end that came: the mark, the line below it, the empty line, what lifts the restriction, one more. */
  let end: 'to come' | 'mark' | 'below' | 'complete' = 'to come';
  let key: string | null = null;
  let isLifted = false;

  const takeComment = (line: string): void => {
    if (line === END_MARK) end = 'mark';
    else if (line.startsWith(VIA_ROOT)) isViaRoot = true;
    else {
      const [, name, schema] = DATA_OF.exec(line) ?? [];
      if (name !== undefined && schema !== undefined) {
        headed = tableKey(schema, name);
        isViaRoot = false;
      }
    }
  };

  const takeCopy = (line: string): boolean => {
    const target = parseCopyTarget(line);
    if (target === null) throw unreadable(`it has a COPY that pg_dump does not write: ${line.slice(0, 100)}`);
    table = isViaRoot ? headed : tableKey(target.schema, target.table);
    isViaRoot = false;
    return true;
  };

  const takeMeta = (line: string): void => {
    const [, restricted] = /^\\restrict (\w+)$/.exec(line) ?? [];
    if (restricted !== undefined) key = restricted;
    if (key !== null && line === `\\unrestrict ${key}`) isLifted = true;
  };

  const takeAfterMark = (line: Buffer): void => {
    const text = line.toString('latin1');
    if (end === 'mark') {
      if (text !== '--') throw unreadable('its end mark is damaged');
      end = 'below';
    } else if (text === '') {
      if (key === null || isLifted) end = 'complete';
    } else if (line[0] === BACKSLASH) takeMeta(text);
    else if (line[0] !== DASH) throw unreadable('it goes on after its end mark');
  };

  const lexer = createSqlLexer({
    line(line) {
      if (end !== 'to come') {
        takeAfterMark(line);
        return false;
      }
      const first = line[0];
      if (first === C && line.subarray(0, 5).equals(COPY)) return takeCopy(decoder.decode(line));
      if (line.length > MOST_LINE_BYTES) return false;
      if (first === DASH) takeComment(decoder.decode(line));
      else if (first === BACKSLASH) takeMeta(line.toString('latin1'));
      else if (first === S) {
        const text = line.toString('latin1');
        if (LARGE_OBJECT.test(text)) largeObjects++;
        else if (text.startsWith('SET client_encoding = ')) decoder = decoderOf(text);
        else {
          const value = parseSequenceValue(decoder.decode(line));
          if (value !== null) sequences.set(...value);
        }
      }
      return false;
    },
    rows(count) {
      tables.set(table, (tables.get(table) ?? 0) + count);
    },
  });

  return {
    push: (chunk) => lexer.push(chunk),
    end() {
      const part = lexer.openPart();
      if (part !== null) throw cut(`in ${part}`);
      if (end !== 'complete') throw cut('before its end mark');
      return dumpFacts(tables, largeObjects, sequences);
    },
  };
}

const COPY = Buffer.from('COPY ');

const cut = (where: string): BkpError =>
  integrityError(`cannot read the SQL of PostgreSQL: it is cut ${where}`, {
    hint: 'the program that wrote it was stopped, or the copy is incomplete',
  });

const unreadable = (reason: string): BkpError =>
  integrityError(`cannot read the SQL of PostgreSQL: ${reason}`, {
    hint: 'only what pg_dump or pg_restore wrote for one database is read here',
  });
