import { readSync, writeSync } from 'node:fs';
import type { ReaderResult } from '../context.ts';
import type { RawReader } from '../engines/engine.ts';
import { hasErrnoCode } from '../errors.ts';

const [STDIN, STDOUT] = [0, 1];
const CHUNK_BYTES = 256 * 1024;

/**
 * Copies stdin to stdout and shows every piece to a reader. Blocking, with one buffer: nothing is allocated and nothing
 * waits for a turn of the event loop.
 */
export function readThrough(reader: RawReader): ReaderResult {
  const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  let bytes = 0;
  for (let count = read(chunk); count > 0; count = read(chunk)) {
    const piece = chunk.subarray(0, count);
    reader.push(piece);
    for (let written = 0; written < count;) written += write(piece.subarray(written));
    bytes += count;
  }
  return { bytes, facts: reader.end() };
}

const read = (chunk: Buffer): number => whenReady(() => readSync(STDIN, chunk));
const write = (piece: Buffer): number => whenReady(() => writeSync(STDOUT, piece));

/** Whoever shares a pipe with us may have made it non-blocking. */
function whenReady(act: () => number): number {
  for (;;) {
    try {
      return act();
    } catch (error) {
      if (!hasErrnoCode(error, 'EAGAIN')) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}
