import { fstatSync, statSync, writeSync } from 'node:fs';
import { devNull } from 'node:os';
import { text } from 'node:stream/consumers';
import { isatty } from 'node:tty';
import { hasErrnoCode, toolError } from '../errors.ts';
import { colourPaint, plainPaint, type Terminal } from '../report/terminal.ts';
import { fileReason } from './file-reason.ts';

/** The terminal of this process. Writes are synchronous, so that nothing is lost at the end, whatever ends it. */
export function createTerminal(): Terminal {
  const { env } = process;
  const [inIsTerminal, outIsTerminal, errIsTerminal] = [isTerminal(0), isTerminal(1), isTerminal(2)];
  const colourless = (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb';
  return {
    out: (chunk) => writeAll(1, chunk),
    err: (chunk) => writeAll(2, chunk),
    outIsTerminal,
    errIsTerminal,
    inIsTerminal,
    // A pseudo terminal whose size nobody set says 0.
    columns: (outIsTerminal && process.stdout.columns) || (errIsTerminal && process.stderr.columns) || 80,
    paint: outIsTerminal && !colourless ? colourPaint : plainPaint,
    paintErr: errIsTerminal && !colourless ? colourPaint : plainPaint,
    readStdin: () => text(process.stdin),
  };
}

/** Only devices are asked whether they are a terminal, and never the null device: to ask costs milliseconds. */
function isTerminal(fd: 0 | 1 | 2): boolean {
  try {
    const file = fstatSync(fd);
    return file.isCharacterDevice() && file.rdev !== statSync(devNull).rdev && isatty(fd);
  } catch {
    // Closed by whoever started us.
    return false;
  }
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
