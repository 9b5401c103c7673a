import type { Readable } from 'node:stream';
import { createArchiveReader } from './archive-reader.ts';
import type { TarHandler } from './tar-reader.ts';
import type { TreeCount } from './tree-counter.ts';

/** Reads a whole archive from a stream. Throws what its reader throws. */
export async function readArchive(raw: Readable, ...others: readonly TarHandler[]): Promise<TreeCount> {
  const reader = createArchiveReader(...others);
  for await (const chunk of raw) reader.push(chunk as Buffer);
  return reader.end();
}
