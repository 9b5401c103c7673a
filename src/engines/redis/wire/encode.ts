const LINE_END = '\r\n';

/** A command as the server reads it. */
export function encodeCommand(words: readonly (string | Uint8Array)[]): Buffer {
  const pieces: Uint8Array[] = [Buffer.from(`*${words.length}${LINE_END}`)];
  for (const word of words) {
    const bytes = typeof word === 'string' ? Buffer.from(word) : word;
    pieces.push(Buffer.from(`$${bytes.length}${LINE_END}`), bytes, Buffer.from(LINE_END));
  }
  return Buffer.concat(pieces);
}
