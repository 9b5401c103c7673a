const NOTHING = Buffer.alloc(0);
/** The longest COPY that pg_dump writes names 1600 columns. */
const MOST_BYTES = 1024 * 1024;

/** Puts a line together whose pieces come one by one; what is beyond a megabyte is left out. */
export interface SqlLine {
  hold(piece: Buffer): void;
  /** The whole line, given its last piece. Valid until the chunk is reused. */
  end(piece: Buffer): Buffer;
}

export function createSqlLine(): SqlLine {
  let pieces: Buffer[] = [];
  let bytes = 0;
  return {
    hold(piece) {
      if (piece.length === 0 || bytes >= MOST_BYTES) return;
      pieces.push(Buffer.from(piece.subarray(0, MOST_BYTES - bytes)));
      bytes += piece.length;
    },
    end(piece) {
      if (pieces.length === 0) return piece;
      const line = Buffer.concat([...pieces, bytes < MOST_BYTES ? piece : NOTHING]);
      pieces = [];
      bytes = 0;
      return line;
    },
  };
}
