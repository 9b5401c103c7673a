import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

export interface ListedEntry {
  readonly name: string;
  readonly kind: string;
  readonly mode: string;
  readonly owner: string;
  readonly mtimeNs: bigint;
  readonly size: bigint;
  readonly links: bigint;
  readonly content: string;
  readonly isSparse: boolean;
}

/** Everything Node can see of a tree, sorted by name; made without any code of the engine. */
export function listTree(root: string): readonly ListedEntry[] {
  const entries: ListedEntry[] = [];
  const visit = (path: Buffer, name: string): void => {
    const stats = lstatSync(path, { bigint: true });
    const size = stats.isFile() ? stats.size : 0n;
    entries.push({
      name,
      kind: (Number(stats.mode) & 0o170000).toString(8),
      mode: (Number(stats.mode) & 0o7777).toString(8),
      owner: `${stats.uid}:${stats.gid}`,
      mtimeNs: stats.mtimeNs,
      size,
      links: stats.isDirectory() ? 0n : stats.nlink,
      content: contentOf(path, stats),
      isSparse: stats.isFile() && stats.blocks * 512n < stats.size,
    });
    if (!stats.isDirectory()) return;
    for (const child of readdirSync(path, { encoding: 'buffer' }).toSorted((a, b) => a.compare(b))) {
      visit(Buffer.concat([path, Buffer.from('/'), child]), join(name, child.toString('latin1')));
    }
  };
  visit(Buffer.from(root), '');
  return entries;
}

function contentOf(
  path: Buffer,
  stats: { isFile(): boolean; isSymbolicLink(): boolean; readonly size: bigint },
): string {
  if (stats.isSymbolicLink()) return readlinkSync(path);
  if (!stats.isFile()) return '';
  return stats.size < 10_000_000n ? createHash('sha256').update(readFileSync(path)).digest('hex') : 'huge';
}
