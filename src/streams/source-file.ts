import { open } from 'node:fs/promises';
import { integrityError } from '../errors.ts';

/** A finished file, held open while it is stored. */
export interface SourceFile {
  readonly fd: number;
  readonly bytes: number;
  /** Throws `integrity` when somebody changed the file since it was opened. */
  assertUnchanged(): Promise<void>;
  close(): Promise<void>;
}

export async function openSourceFile(path: string): Promise<SourceFile> {
  const handle = await open(path);
  const before = await handle.stat({ bigint: true });
  return {
    fd: handle.fd,
    bytes: Number(before.size),
    async assertUnchanged() {
      const after = await handle.stat({ bigint: true });
      if (after.size === before.size && after.mtimeNs === before.mtimeNs) return;
      throw integrityError(`cannot store ${path}: it changed while it was read`);
    },
    close: () => handle.close(),
  };
}
