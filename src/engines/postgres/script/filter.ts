import { parseCopyTarget } from '../archive/copy-target.ts';
import { decoderOf } from '../archive/client-encoding.ts';
import { SECTION_HEADER } from './sections.ts';
import { createSqlLexer } from '../archive/sql-lexer.ts';

/** One object of a script, as the comment before it tells. */
export interface ScriptSection {
  /** Number in the table of contents, and what stands behind it there; zeros where pg_dump was not verbose. */
  readonly id: number;
  readonly catalog: string;
  readonly name: string;
  readonly type: string;
  /** A dash where there is none, as in the list of pg_restore. */
  readonly schema: string;
  readonly owner: string;
}

/** What of a script is kept. Settings before its sections and what ends it stand in none, and always are. */
export interface ScriptChoice {
  section(section: ScriptSection): boolean;
  /** Asked for statements, by their first line, in sections that are kept. */
  statement(line: string, section: ScriptSection): boolean;
}

/** Takes a script piece by piece and hands on what is kept of it. */
export interface ScriptFilter {
  /** The pieces are valid until the chunk is reused. Holds back what belongs to a statement that has not ended. */
  push(chunk: Buffer): readonly Buffer[];
  end(): readonly Buffer[];
}

const ENTRY = /^-- TOC entry (\d+) \(class (\d+ OID \d+)\)$/;
const DEPENDENCIES = /^-- Dependencies: /;
/** Set before a section, for all that follow. */
const DEFAULT = /^SET default_/;
/** Only short lines matter, but for comments and ALTER, which may name a function with a hundred arguments. */
const MOST_LINE_BYTES = 4096;
const [A, C, DASH] = [0x41, 0x43, 0x2d];

/** Knows texts, names and rows from statements, so that nothing in them is taken for the frame of a section. */
export function createScriptFilter(choice: ScriptChoice): ScriptFilter {
  let decoder = decoderOf('');
  let held: Buffer = Buffer.alloc(0);
  /** Where in the script `held` begins; all before was handed on or left out. */
  let heldFrom = 0;
  let isKept = true;
  let areRows = false;
  let section: ScriptSection | null = null;
  let isSectionKept = true;
  let entry: Pick<ScriptSection, 'id' | 'catalog'> = { id: 0, catalog: '0 OID 0' };
  /** Where a comment begins that may be the frame of a section; its end is one more line of dashes. */
  let frame: 'none' | 'open' | 'closing' = 'none';
  let out: Buffer[] = [];

  const settle = (position: number): void => {
    const bytes = position - heldFrom;
    if (isKept && bytes > 0) out.push(held.subarray(0, bytes));
    held = held.subarray(bytes);
    heldFrom = position;
  };

  const takeFrame = (line: string): boolean => {
    const found = ENTRY.exec(line);
    const header = SECTION_HEADER.exec(line);
    if (found !== null) entry = { id: Number(found[1]), catalog: found[2] ?? '' };
    else if (header !== null) {
      const [, name = '', type = '', schema = '', owner = ''] = header;
      section = { ...entry, name, type, schema, owner };
      entry = { id: 0, catalog: '0 OID 0' };
      isKept = isSectionKept = choice.section(section);
      frame = 'closing';
    } else if (!DEPENDENCIES.test(line)) return false;
    return true;
  };

  const takeLine = (line: string, start: number): void => {
    if (frame === 'open' && takeFrame(line)) return;
    if (frame === 'closing') {
      frame = 'none';
      return;
    }
    if (frame === 'open') {
      // A comment of the script itself: at its begin and at its end.
      isKept = isSectionKept = true;
      section = null;
      frame = 'none';
    }
    settle(start);
    if (line === '--') frame = 'open';
    else isKept = DEFAULT.test(line) || (isSectionKept && (section === null || choice.statement(line, section)));
  };

  const lexer = createSqlLexer({
    line(bytes, start) {
      areRows = bytes[0] === C && parseCopyTarget(decoder.decode(bytes)) !== null;
      const matters = bytes.length <= MOST_LINE_BYTES || bytes[0] === DASH || bytes[0] === A;
      const text = matters ? decoder.decode(bytes) : '';
      if (text.startsWith('SET client_encoding = ')) decoder = decoderOf(text);
      takeLine(text, start);
      return areRows;
    },
    rows: () => {
      areRows = false;
    },
  });

  const handOn = (): readonly Buffer[] => {
    const pieces = out;
    out = [];
    return pieces;
  };

  return {
    push(chunk) {
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      lexer.push(chunk);
      if (areRows) settle(heldFrom + held.length);
      else held = Buffer.from(held);
      return handOn();
    },
    end() {
      settle(heldFrom + held.length);
      return handOn();
    },
  };
}
