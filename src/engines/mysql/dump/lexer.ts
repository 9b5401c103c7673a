import { dumpError } from './errors.ts';

/** What a lexer finds in a dump, in order. Buffers are valid until the call returns. */
export interface DumpParts {
  /** One statement with the comments before it and its delimiter; a line `DELIMITER …` is one too. */
  statement(text: Buffer): void;
  /** The beginning of an INSERT, up to its rows, which follow in pieces; the last one ends with the delimiter. */
  rowsBegin(head: Buffer): void;
  rowsPiece(piece: Buffer): void;
  rowsEnd(rows: number): void;
}

export interface DumpLexer {
  push(chunk: Buffer): void;
  /** What stands behind the last statement: comments. Throws `integrity` where a statement is not finished. */
  end(): Buffer;
}

const [LF, SPACE, BANG, DOUBLE, HASH, QUOTE, OPEN, CLOSE, STAR, DASH, SLASH, SEMICOLON, M, BACKSLASH, BACKTICK] = [
  0x0a, 0x20, 0x21, 0x22, 0x23, 0x27, 0x28, 0x29, 0x2a, 0x2d, 0x2f, 0x3b, 0x4d, 0x5c, 0x60,
];
/** No definition is this long. */
const MOST_BYTES = 64 * 1024 * 1024;
const SANDBOX = Buffer.from('/*M!999999\\-');

type State = 'code' | 'quoted' | 'line' | 'block' | 'dashes' | 'slash-star' | 'slash-star-m' | 'delimiter' | 'rows';

/**
 * Takes a dump apart into statements as the client does: quotes, comments and `DELIMITER` count, what stands in them does
 * not. Rows of data are counted and never held.
 */
export function createDumpLexer(parts: DumpParts): DumpLexer {
  let state: State = 'code';
  let quote = 0;
  let escaped = false;
  let previous = 0;
  let word = '';
  /** Of the statement: nothing but blanks and comments so far, its first word is to come, it has begun. */
  let begun: 'blank' | 'word' | 'yes' = 'blank';
  let isInsert = false;
  let delimiter = Buffer.from(';');
  let matched = 0;
  let rows = 0;
  let depth = 0;
  let inString = false;
  let held: Buffer[] = [];
  let heldBytes = 0;
  let isFirst = true;

  const hold = (piece: Buffer): void => {
    if (piece.length === 0) return;
    held.push(Buffer.from(piece));
    heldBytes += piece.length;
    if (heldBytes > MOST_BYTES) throw dumpError('it has a statement of more than 64 MiB that is no INSERT');
  };
  const release = (): Buffer => {
    const all = held.length === 1 && held[0] !== undefined ? held[0] : Buffer.concat(held);
    [held, heldBytes] = [[], 0];
    return all;
  };
  const reset = (): void => {
    [state, begun, isInsert, word, previous, matched] = ['code', 'blank', false, '', 0, 0];
  };
  const endStatement = (): void => {
    const text = release();
    if (state === 'delimiter') {
      const [, given = ';'] = /DELIMITER\s+(\S+)/i.exec(text.toString('latin1')) ?? [];
      delimiter = Buffer.from(given, 'latin1');
    }
    reset();
    parts.statement(text);
  };

  const endWord = (): void => {
    if (word === '') return;
    if (begun === 'word') {
      begun = 'yes';
      isInsert = word === 'INSERT' || word === 'REPLACE';
      if (word === 'DELIMITER') state = 'delimiter';
    } else if (isInsert && word === 'VALUES' && depth === 0) {
      [state, rows, depth, inString, escaped] = ['rows', 0, 0, false, false];
    }
    word = '';
  };

  /** Outside of quotes and comments. Returns true where the byte ends the statement. */
  const takeCode = (byte: number): boolean => {
    const isLetter = (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a) || byte === 0x5f;
    if (isLetter && word.length < 16) {
      if (begun === 'blank') begun = 'word';
      word += String.fromCharCode(byte & 0xdf);
    } else if (!isLetter) {
      endWord();
      if (state !== 'code') return state === 'delimiter' && byte === LF;
    }
    const before = previous;
    previous = byte;
    if (byte === delimiter[matched]) {
      matched += 1;
      if (matched === delimiter.length) return true;
    } else matched = byte === delimiter[0] ? 1 : 0;
    if (byte === QUOTE || byte === DOUBLE || byte === BACKTICK) [state, quote, escaped] = ['quoted', byte, false];
    else if (byte === HASH) state = 'line';
    else if (byte === DASH && before === DASH) state = 'dashes';
    else if (byte === STAR && before === SLASH) state = 'slash-star';
    else if (byte === SLASH && before === STAR) previous = 0;
    else if (byte === OPEN) depth += 1;
    else if (byte === CLOSE) depth -= 1;
    if (begun === 'blank' && byte > SPACE && state === 'code' && byte !== DASH && byte !== SLASH) begun = 'word';
    return false;
  };

  const takeOther = (byte: number): boolean => {
    switch (state) {
      case 'quoted':
        if (escaped) escaped = false;
        else if (byte === BACKSLASH && quote !== BACKTICK) escaped = true;
        else if (byte === quote) state = 'code';
        return false;
      case 'dashes':
        if (byte === LF) [state, previous] = ['code', 0];
        else if (byte <= SPACE) state = 'line';
        else {
          state = 'code';
          return takeCode(byte);
        }
        return false;
      case 'line':
        if (byte === LF) [state, previous] = ['code', 0];
        return false;
      case 'slash-star':
        if (byte === BANG) [state, previous] = ['code', 0];
        else [state, previous] = [byte === M ? 'slash-star-m' : 'block', byte];
        return false;
      case 'slash-star-m':
        [state, previous] = [byte === BANG ? 'code' : 'block', byte === BANG ? 0 : byte];
        return false;
      case 'block':
        if (byte === SLASH && previous === STAR) [state, previous] = ['code', 0];
        else previous = byte;
        return false;
      default:
        return byte === LF;
    }
  };

  /** Returns where the rows end, or the end of the chunk. */
  const skipRows = (chunk: Buffer, from: number): number => {
    let at = from;
    if (escaped && at < chunk.length) {
      escaped = false;
      at += 1;
    }
    for (; at < chunk.length; at += 1) {
      const byte = chunk[at];
      if (inString) {
        if (byte === quote) inString = false;
        else if (byte === BACKSLASH) {
          at += 1;
          if (at === chunk.length) {
            escaped = true;
            return at;
          }
        }
      } else if (byte === QUOTE || byte === DOUBLE) [inString, quote] = [true, byte];
      else if (byte === OPEN) {
        if (depth === 0) rows += 1;
        depth += 1;
      } else if (byte === CLOSE) depth -= 1;
      else if (byte === SEMICOLON) return at;
    }
    return at;
  };

  const takeRows = (chunk: Buffer, from: number): number => {
    const stop = skipRows(chunk, from);
    const isEnd = stop < chunk.length;
    const next = isEnd ? stop + 1 : stop;
    parts.rowsPiece(chunk.subarray(from, next));
    if (isEnd) {
      const counted = rows;
      reset();
      depth = 0;
      parts.rowsEnd(counted);
    }
    return next;
  };

  const takeStatement = (chunk: Buffer, from: number): number => {
    for (let at = from; at < chunk.length; at += 1) {
      const byte = chunk[at] ?? 0;
      if (state === 'code' ? takeCode(byte) : takeOther(byte)) {
        hold(chunk.subarray(from, at + 1));
        depth = 0;
        endStatement();
        return at + 1;
      }
      if (state === 'rows') {
        hold(chunk.subarray(from, at));
        parts.rowsBegin(release());
        return at;
      }
    }
    hold(chunk.subarray(from));
    return chunk.length;
  };

  /** MariaDB's programs begin with a line for the client alone. */
  const takeSandbox = (chunk: Buffer): number => {
    const known = Buffer.concat([...held, chunk]);
    const isShort = known.length < SANDBOX.length;
    if (
      isShort ? !SANDBOX.subarray(0, known.length).equals(known) : !known.subarray(0, SANDBOX.length).equals(SANDBOX)
    ) {
      isFirst = false;
      return 0;
    }
    const end = known.indexOf(LF);
    if (end < 0) {
      hold(chunk);
      return chunk.length;
    }
    isFirst = false;
    const before = heldBytes;
    release();
    parts.statement(known.subarray(0, end + 1));
    return end + 1 - before;
  };

  return {
    push(chunk) {
      let at = 0;
      if (isFirst && chunk.length > 0) {
        at = takeSandbox(chunk);
        if (!isFirst && at === 0 && heldBytes > 0) {
          const early = release();
          takeStatement(early, 0);
        }
      }
      while (at < chunk.length) at = state === 'rows' ? takeRows(chunk, at) : takeStatement(chunk, at);
    },
    end() {
      if (state === 'rows') throw dumpError('it is cut in the rows of a table');
      if (begun !== 'blank' || state !== 'code') throw dumpError('it is cut in a statement');
      if (!delimiter.equals(Buffer.from(';'))) throw dumpError('it is cut before the delimiter is set back');
      return release();
    },
  };
}
