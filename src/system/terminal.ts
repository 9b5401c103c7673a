import { text } from 'node:stream/consumers';
import { writeSync } from 'node:fs';
import { hasErrnoCode, toolError } from '../errors.ts';
import { colourPaint, plainPaint, type Terminal } from '../report/terminal.ts';
import { fileReason } from './file-reason.ts';

/** The terminal of this process. Writes are synchronous, so that nothing is lost at the end, whatever ends it. */
export function createTerminal(): Terminal {
  const { env, stdout, stderr, stdin } = process;
  const colourless = (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb';
  return {
    out: (chunk) => writeAll(1, chunk),
    err: (chunk) => writeAll(2, chunk),
    outIsTerminal: stdout.isTTY === true,
    errIsTerminal: stderr.isTTY === true,
    inIsTerminal: stdin.isTTY === true,
    // A pseudo terminal whose size nobody set says 0.
    columns: stdout.columns || stderr.columns || 80,
    paint: stdout.isTTY === true && !colourless ? colourPaint : plainPaint,
    paintErr: stderr.isTTY === true && !colourless ? colourPaint : plainPaint,
    readStdin: () => text(stdin),
  };
}

function writeAll(fd: 1 | 2, chunk: string): void {
  const bytes = Buffer.from(chunk);
  for (let offset = 0; offset < bytes.length;) {
    try {
      offset += writeSync(fd, bytes, offset);
    } catch (error) {
      if (hasErrnoCode(error, 'EAGAIN')) {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
        continue;
      }
      // The reader has gone (`bkp list | head`), or nothing can be said any more: there is nobody left to tell.
      if (fd === 2 || hasErrnoCode(error, 'EPIPE')) return;
      throw toolError(`cannot write the result: ${fileReason(error)}`, { cause: error });
    }
  }
}
