import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type BkpError, hasErrnoCode, reasonOf, targetError } from '../../errors.ts';

/** Gets the files of an archive one after the other; their names were checked by its reader. */
export interface MemberSink {
  begin(name: string): void;
  data(chunk: Buffer): void;
  end(): void;
}

/** Writes them into a folder, for nobody else to read. */
export function createFileWriter(folder: string): MemberSink & { close(): void } {
  let file: number | null = null;
  const close = (): void => {
    if (file !== null) closeSync(file);
    file = null;
  };
  return {
    close,
    begin(name) {
      file = openSync(join(folder, name), 'wx', 0o600);
    },
    data(chunk) {
      if (file === null) throw new Error('bytes of no file');
      try {
        for (let at = 0; at < chunk.length;) at += writeSync(file, chunk, at);
      } catch (error) {
        throw hasErrnoCode(error, 'ENOSPC', 'EDQUOT', 'EFBIG', 'EIO') ? cannotWrite(error) : error;
      }
    },
    end: close,
  };
}

const cannotWrite = (error: unknown): BkpError =>
  targetError(`cannot unpack the dump: ${reasonOf(error)}`, {
    hint: 'free some space, or set TMPDIR to a larger place',
    cause: error,
  });
