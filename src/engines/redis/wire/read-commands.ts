import type { Socket } from 'node:net';

const LONGEST = 64 * 1024;
const LINE_END = 0x0a;

/** Takes the commands that a server sends, word by word; a talker of anything else is hung up on. */
export function readCommands(socket: Socket, onCommand: (words: readonly Buffer[]) => void): void {
  let rest = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      const found = parse(rest);
      if (found === 'none' || rest.length > LONGEST) socket.destroy();
      if (found === 'none' || found === 'more') return;
      rest = rest.subarray(found.bytes);
      onCommand(found.words);
    }
  });
}

type Parsed = { readonly words: readonly Buffer[]; readonly bytes: number } | 'more' | 'none';

function parse(bytes: Buffer): Parsed {
  let at = 0;
  // A replica that is busy with loading shows that it lives.
  while (bytes[at] === LINE_END) at += 1;
  const number = (mark: string): number | 'more' | 'none' => {
    const end = bytes.indexOf('\r\n', at);
    if (end < 0) return bytes.length - at > 32 ? 'none' : 'more';
    const text = bytes.toString('latin1', at, end);
    if (!text.startsWith(mark) || !/^\d{1,6}$/.test(text.slice(1))) return 'none';
    at = end + 2;
    return Number(text.slice(1));
  };
  if (bytes.length === at) return 'more';
  const count = number('*');
  if (typeof count === 'string') return count;
  const words: Buffer[] = [];
  while (words.length < count) {
    const length = number('$');
    if (typeof length === 'string') return length;
    if (bytes.length < at + length + 2) return 'more';
    words.push(bytes.subarray(at, at + length));
    at += length + 2;
  }
  return { words, bytes: at };
}
