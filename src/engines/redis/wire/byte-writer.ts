/** Bytes to send, gathered in one piece. */
export interface ByteWriter {
  text(text: string): void;
  bytes(bytes: Uint8Array): void;
  /** Where the next byte goes, within what `since` gives. */
  position(): number;
  /** What was written from a position on; valid until something is written. */
  since(position: number): Buffer;
  /** Gives away what was gathered and starts anew. */
  take(): Buffer;
}

const FIRST_BYTES = 256 * 1024;

/** Starts to gather. */
export function openByteWriter(): ByteWriter {
  let buffer = Buffer.allocUnsafe(FIRST_BYTES);
  let at = 0;
  const room = (bytes: number): void => {
    if (at + bytes <= buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(2 * buffer.length, at + bytes));
    buffer.copy(larger, 0, 0, at);
    buffer = larger;
  };
  return {
    text(text) {
      room(text.length);
      at += buffer.write(text, at, 'latin1');
    },
    bytes(bytes) {
      room(bytes.length);
      buffer.set(bytes, at);
      at += bytes.length;
    },
    position: () => at,
    since: (position) => buffer.subarray(position, at),
    take() {
      const taken = buffer.subarray(0, at);
      // The socket may still hold what was given away.
      buffer = Buffer.allocUnsafe(FIRST_BYTES);
      at = 0;
      return taken;
    },
  };
}
