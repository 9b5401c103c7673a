import { createReadStream } from 'node:fs';

/**
 * The lines of a file of UTF-8 text, without their line feeds. Nothing else ends a line: what
 * `node:readline` gives is cut at U+2028 too, which JSON leaves as it is.
 */
export async function* readLines(path: string): AsyncGenerator<string, undefined> {
  let rest: Buffer[] = [];
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    let from = 0;
    for (let to = chunk.indexOf(10); to !== -1; to = chunk.indexOf(10, from)) {
      yield Buffer.concat([...rest, chunk.subarray(from, to)]).toString();
      rest = [];
      from = to + 1;
    }
    if (from < chunk.length) rest.push(chunk.subarray(from));
  }
  if (rest.length > 0) yield Buffer.concat(rest).toString();
  return undefined;
}
