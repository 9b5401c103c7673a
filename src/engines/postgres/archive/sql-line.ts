const NOTHING = Buffer.alloc(0);
const C = 0x43;
/** The longest COPY that pg_dump writes names 1600 columns; of other lines the longest that matter name functions. */
const [MOST_OF_COPY, MOST_OF_OTHERS] = [1024 * 1024, 64 * 1024];

/** Puts a line together whose pieces come one by one; the rest of one that is too long to matter is left out. */
export interface SqlLine {
  hold(piece: Buffer): void;
  /** The whole line, given its last piece. Valid until the chunk is reused. */
  end(piece: Buffer): Buffer;
}

export function createSqlLine(): SqlLine {
  let pieces: Buffer[] = [];
  let bytes = 0;
  let most = 0;
  return {
    hold(piece) {
      if (bytes === 0) most = piece[0] === C ? MOST_OF_COPY : MOST_OF_OTHERS;
      if (piece.length === 0 || bytes >= most) return;
      const held = Buffer.from(piece.subarray(0, most - bytes));
      pieces.push(held);
      bytes += held.length;
    },
    end(piece) {
      if (pieces.length === 0) return piece;
      const line = Buffer.concat([...pieces, bytes < most ? piece : NOTHING]);
      pieces = [];
      bytes = 0;
      return line;
    },
  };
}
