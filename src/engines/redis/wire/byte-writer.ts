/** Bytes to send, gathered in one piece. */
export interface ByteWriter {
  text(text: string): void;
  bytes(bytes: Uint8Array): void;
  length(): number;
  /** What was gathered, as long as nothing more is. */
  gathered(): Buffer;
  /** Starts anew in the same memory: whoever was given what was gathered must be through with it. */
  clear(): void;
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
    length: () => at,
    gathered: () => buffer.subarray(0, at),
    clear() {
      at = 0;
    },
  };
}
