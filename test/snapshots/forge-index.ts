import { hash } from 'node:crypto';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { Repository } from '../../src/repositories/repository.ts';
import { INDEX_KEY } from '../../src/snapshots/keys.ts';

/** One line of an index: the first says whose it is, each other one is a backup. */
export type Line = Record<string, unknown>;

/** Writes the index anew, as somebody would who may write there. */
export async function forgeIndex(repository: Repository, change: (lines: Line[]) => readonly Line[]): Promise<void> {
  const text = zstdDecompressSync(await repository.read(INDEX_KEY)).toString();
  const lines = text.trimEnd().split('\n').slice(0, -1);
  const changed = change(lines.map((line) => JSON.parse(line) as Line));
  const body = changed.map((line) => `${JSON.stringify(line)}\n`).join('');
  await repository.put(INDEX_KEY, zstdCompressSync(`${body}{"sha256":"${hash('sha256', body, 'hex')}"}\n`));
}
