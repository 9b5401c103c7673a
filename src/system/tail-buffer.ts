const MOST_BYTES = 64 * 1024;

/** Keeps the last bytes of an endless text; what it returns never begins in the middle of a line. */
export interface TailBuffer {
  push(chunk: Buffer): void;
  text(): string;
}

export function createTailBuffer(mostBytes: number = MOST_BYTES): TailBuffer {
  let chunks: Buffer[] = [];
  let bytes = 0;
  let cut = false;
  const shrink = (): void => {
    const tail = Buffer.concat(chunks).subarray(-mostBytes);
    cut = true;
    chunks = [tail];
    bytes = tail.length;
  };
  return {
    push(chunk) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > 2 * mostBytes) shrink();
    },
    text() {
      if (bytes > mostBytes) shrink();
      const text = Buffer.concat(chunks).toString('utf8');
      return cut ? text.slice(text.indexOf('\n') + 1) : text;
    },
  };
}
