import { decoderOf } from '../archive/client-encoding.ts';

/** Puts lines together from pieces of a script, as text in the encoding that the script names. */
export interface ScriptLines {
  push(piece: Buffer): void;
  end(): void;
}

const NEWLINE = 10;
const NOTHING = Buffer.alloc(0);

/** Only a newline ends a line: what else may look like an end belongs to the text of a definition. */
export function createScriptLines(onLine: (line: string) => void): ScriptLines {
  let decoder = decoderOf('');
  let held: Buffer = NOTHING;
  const take = (bytes: Buffer): void => {
    const line = decoder.decode(bytes);
    if (line.startsWith('SET client_encoding = ')) decoder = decoderOf(line);
    onLine(line);
  };
  return {
    push(piece) {
      const bytes = held.length === 0 ? piece : Buffer.concat([held, piece]);
      let start = 0;
      for (let end = bytes.indexOf(NEWLINE, held.length); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
        take(bytes.subarray(start, end));
        start = end + 1;
      }
      held = Buffer.from(bytes.subarray(start));
    },
    end() {
      if (held.length > 0) take(held);
      held = NOTHING;
    },
  };
}
