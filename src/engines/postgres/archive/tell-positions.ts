import { open } from 'node:fs/promises';
import type { CustomArchive } from './custom-archive.ts';
import { encodePosition } from './values.ts';

/**
 * Writes where each table's data begin into the table of contents of a file in the custom format, as pg_dump does where it
 * writes to a file. One that wrote to a pipe could not, and every job of a restore would read all that comes before.
 */
export async function tellPositions(path: string, { header, tocAt, entries, positions }: CustomArchive): Promise<void> {
  const file = await open(path, 'r+');
  try {
    for (const { dumpId, end } of entries) {
      const position = positions.get(dumpId);
      if (position === undefined) continue;
      const bytes = encodePosition(position, header.positionBytes);
      await file.write(bytes, 0, bytes.length, tocAt + end - bytes.length);
    }
  } finally {
    await file.close();
  }
}
