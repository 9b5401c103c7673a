/** What pg_dump writes after the rows of a table: the end mark of COPY and two empty lines. */
const END = Buffer.from('\n\\.\n\n\n');
const NEWLINE = 10;
/** Newlines that belong to the end and not to a row. */
export const NEWLINES_AT_END = 3;

/** Remembers the last bytes of a table's rows without copying every piece. */
export interface CopyEnd {
  begin(): void;
  /** Call `leave` before the chunk is given back. */
  take(chunk: Buffer, start: number, end: number): void;
  leave(chunk: Buffer): void;
  /** The rows were ended as pg_dump ends them. */
  isThere(chunk: Buffer): boolean;
}

export function createCopyEnd(): CopyEnd {
  const last = Buffer.alloc(END.length);
  /** Where the last piece that was long enough ends in the present chunk; zero when `last` holds all that is known. */
  let longEnd = 0;

  const leave = (chunk: Buffer): void => {
    if (longEnd === 0) return;
    chunk.copy(last, 0, longEnd - END.length, longEnd);
    longEnd = 0;
  };

  return {
    begin() {
      last.fill(NEWLINE);
      longEnd = 0;
    },
    take(chunk, start, end) {
      if (end - start >= END.length) {
        longEnd = end;
        return;
      }
      leave(chunk);
      last.copyWithin(0, end - start);
      chunk.copy(last, END.length - (end - start), start, end);
    },
    leave,
    isThere(chunk) {
      leave(chunk);
      return last.equals(END);
    },
  };
}
