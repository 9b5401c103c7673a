import { BYTE, isEscapePrefix, isSpace, isWordByte } from './byte-kinds.ts';
import { countNewlines } from './count-newlines.ts';
import { createMarkFinder, type MarkFinder } from './mark-finder.ts';
import { createSqlLine } from './sql-line.ts';

/** What a script consists of, in its order; all calls are synchronous. */
export interface SqlHandler {
  /**
   * A line that begins outside of every statement, quote and comment, without its newline; a quoted name may hold
   * newlines. Returns true where rows for COPY follow. The line is reused afterwards. `start` and `end` are where it
   * stands in the script, its newline included.
   */
  line(line: Buffer, start: number, end: number): boolean;
  rows(count: number): void;
}

/** Takes a script piece by piece. */
export interface SqlLexer {
  push(chunk: Buffer): void;
  /** What the script would stop in the middle of if it ended here; null between two lines. */
  openPart(): string | null;
}

type Step = 'plain' | 'text' | 'escaped text' | 'name' | 'dollar tag' | 'dollar quote' | 'line' | 'comment' | 'rows';

const END_OF_ROWS = Buffer.from('\n\\.\n');
const NEWLINE = Buffer.from('\n');
const BACKSLASHES_ESCAPE = Buffer.from('SET standard_conforming_strings = off;');

/**
 * Tells rows from SQL and SQL from what only looks like it: texts, quoted names, dollar quotes and comments. Knows as much
 * of the language as that takes.
 */
export function createSqlLexer(handler: SqlHandler): SqlLexer {
  const line = createSqlLine();
  let step: Step = 'plain';
  let lineStart = 0;
  /** Bytes of earlier chunks. */
  let passed = 0;
  /** Where the present line begins in the script. */
  let beganAt = 0;
  let isEmptyLine = true;
  /** A statement has begun and not ended. */
  let isOpen = false;
  let beganOpen = false;
  let previous = 0;
  let wordBytes = 0;
  let lastText: Step = 'text';
  let backslashesEscape = false;
  let isEscaped = false;
  let depth = 0;
  let tag = '';
  let mark: MarkFinder = createMarkFinder(END_OF_ROWS, NEWLINE);
  let rows = 0;

  const endLine = (chunk: Buffer, at: number): void => {
    const whole = line.end(chunk.subarray(lineStart, at));
    const areRows = !beganOpen && handler.line(whole, beganAt, passed + at + 1);
    if (whole.equals(BACKSLASHES_ESCAPE)) backslashesEscape = true;
    beginLine(at + 1);
    if (!areRows) return;
    step = 'rows';
    rows = 0;
    mark = createMarkFinder(END_OF_ROWS, NEWLINE);
  };

  const beginLine = (at: number): void => {
    step = 'plain';
    lineStart = at;
    beganAt = passed + at;
    isEmptyLine = true;
    beganOpen = isOpen;
    previous = 0;
    wordBytes = 0;
  };

  const enter = (next: Step): void => {
    step = next;
    isOpen = true;
    previous = 0;
    wordBytes = 0;
  };

  const takePlain = (chunk: Buffer, start: number): number => {
    let at = start;
    for (; at < chunk.length; at++) {
      const byte = chunk[at] as number;
      if (isWordByte(byte) || (byte === BYTE.dollar && wordBytes > 0)) {
        wordBytes++;
        isOpen = true;
        previous = byte;
        continue;
      }
      if (byte === BYTE.newline) endLine(chunk, at);
      else if (byte === BYTE.quote) {
        const isEscape = backslashesEscape || (wordBytes === 1 && isEscapePrefix(previous));
        lastText = previous === BYTE.quote ? lastText : isEscape ? 'escaped text' : 'text';
        enter(lastText);
      } else if (byte === BYTE.doubleQuote) enter('name');
      else if (byte === BYTE.dollar) {
        tag = '';
        enter('dollar tag');
      } else if (byte === BYTE.backslash || (byte === BYTE.dash && previous === BYTE.dash)) step = 'line';
      else if (byte === BYTE.star && previous === BYTE.slash) {
        step = 'comment';
        depth = 1;
        previous = 0;
      } else {
        if (byte === BYTE.semicolon) isOpen = false;
        else if (!isSpace(byte) && byte !== BYTE.dash && byte !== BYTE.slash) isOpen = true;
        wordBytes = 0;
        previous = byte;
      }
      if (step !== 'plain') return at + 1;
    }
    return at;
  };

  /** `''` in a text leaves it and enters it again. */
  const leaveAt = (chunk: Buffer, start: number, quote: number): number => {
    const at = chunk.indexOf(quote, start);
    if (at === -1) return chunk.length;
    step = 'plain';
    previous = quote;
    return at + 1;
  };

  const takeEscapedText = (chunk: Buffer, start: number): number => {
    for (let at = start; at < chunk.length; at++) {
      if (isEscaped) isEscaped = false;
      else if (chunk[at] === BYTE.backslash) isEscaped = true;
      else if (chunk[at] === BYTE.quote) return leaveAt(chunk, at, BYTE.quote);
    }
    return chunk.length;
  };

  const takeTag = (chunk: Buffer, at: number): number => {
    const byte = chunk[at] as number;
    if (byte === BYTE.dollar) {
      step = 'dollar quote';
      mark = createMarkFinder(Buffer.from(`$${tag}$`, 'latin1'));
      return at + 1;
    }
    const isTag = isWordByte(byte) && (tag !== '' || byte < 0x30 || byte > 0x39) && tag.length < 256;
    if (isTag) tag += String.fromCodePoint(byte);
    else {
      // A parameter: what follows belongs to its number.
      step = 'plain';
      wordBytes = tag.length + 1;
      return at;
    }
    return at + 1;
  };

  const takeDollarBody = (chunk: Buffer, start: number): number => {
    const end = mark.find(chunk, start);
    if (end === -1) return chunk.length;
    step = 'plain';
    return end;
  };

  const takeComment = (chunk: Buffer, start: number): number => {
    for (let at = start; at < chunk.length; at++) {
      const byte = chunk[at] as number;
      const pair = previous * 256 + byte;
      previous = byte;
      if (pair === BYTE.slash * 256 + BYTE.star) depth++;
      else if (pair === BYTE.star * 256 + BYTE.slash) depth--;
      else continue;
      previous = 0;
      if (depth > 0) continue;
      step = 'plain';
      return at + 1;
    }
    return chunk.length;
  };

  const takeLine = (chunk: Buffer, start: number): number => {
    const at = chunk.indexOf(BYTE.newline, start);
    if (at === -1) return chunk.length;
    endLine(chunk, at);
    return at + 1;
  };

  const takeRows = (chunk: Buffer, start: number): number => {
    const found = mark.find(chunk, start);
    const end = found === -1 ? chunk.length : found;
    rows += countNewlines(chunk, start, end);
    if (found === -1) return end;
    handler.rows(rows - 1);
    beginLine(end);
    return end;
  };

  const STEPS: Readonly<Record<Step, (chunk: Buffer, start: number) => number>> = {
    plain: takePlain,
    text: (chunk, start) => leaveAt(chunk, start, BYTE.quote),
    'escaped text': takeEscapedText,
    name: (chunk, start) => leaveAt(chunk, start, BYTE.doubleQuote),
    'dollar tag': takeTag,
    'dollar quote': takeDollarBody,
    line: takeLine,
    comment: takeComment,
    rows: takeRows,
  };

  return {
    push(chunk) {
      lineStart = 0;
      for (let at = 0; at < chunk.length;) at = STEPS[step](chunk, at);
      passed += chunk.length;
      if (step === 'rows') return;
      const piece = chunk.subarray(lineStart);
      if (piece.length > 0) isEmptyLine = false;
      line.hold(piece);
    },
    openPart() {
      if (step === 'plain') return isOpen || !isEmptyLine ? 'a statement' : null;
      return step === 'rows' ? 'rows' : `a ${step}`;
    },
  };
}
