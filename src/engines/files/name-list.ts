import { closeSync, openSync, writeSync } from 'node:fs';
import { type ByteName, toBuffer } from './byte-name.ts';

/** Writes names into a new file, each ended by a zero byte: never a name that is taken for an option or a pattern. */
export interface NameList {
  readonly path: string;
  add(name: ByteName): void;
  /** Call it once, always. */
  close(): void;
}

const BATCH_CHARACTERS = 64 * 1024;

export function createNameList(path: string): NameList {
  const file = openSync(path, 'wx', 0o600);
  let batch: string[] = [];
  let held = 0;
  const flush = (): void => {
    if (held > 0) writeAll(file, toBuffer(batch.join('')));
    batch = [];
    held = 0;
  };
  return {
    path,
    add(name) {
      batch.push(name, '\0');
      held += name.length + 1;
      if (held > BATCH_CHARACTERS) flush();
    },
    close() {
      try {
        flush();
      } finally {
        closeSync(file);
      }
    },
  };
}

function writeAll(file: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
}
