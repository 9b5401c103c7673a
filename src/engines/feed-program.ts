import type { Readable, Writable } from 'node:stream';
import type { RunningProcess } from '../context.ts';
import type { RawReader } from './engine.ts';

/** Bytes as they come, shown to a reader on their way. What it finds wrong, at the end at the latest, is thrown. */
export async function* inspected(raw: Readable, reader: RawReader): AsyncGenerator<Buffer, void, void> {
  for await (const chunk of raw) {
    reader.push(chunk as Buffer);
    yield chunk as Buffer;
  }
  reader.end();
}

/**
 * Writes all pieces into a program, and closes its input only when the last one was there: psql takes an end for the end
 * of the script. Where the pieces fail, the program is stopped. One that leaves before tells why by its end.
 */
export async function feedProgram(running: RunningProcess, pieces: AsyncIterable<Buffer>): Promise<void> {
  const { stdin } = running;
  if (stdin === null) throw new Error('a program without an input');
  stdin.on('error', () => undefined);
  try {
    for await (const piece of pieces) if (stdin.writable && !stdin.write(piece)) await takesMore(stdin);
    stdin.end();
  } catch (error) {
    running.stop();
    throw error;
  }
}

/** Resolves when the program takes more of its input, or has gone. Leaves no listeners. */
const takesMore = (stdin: Writable): Promise<void> =>
  new Promise((resolve) => {
    const go = (): void => {
      stdin.off('drain', go).off('close', go);
      resolve();
    };
    stdin.once('drain', go).once('close', go);
  });
