import { readFileSync, statSync } from 'node:fs';

/** Where this machine looks references up: its environment and its files. */
export const systemLookups: {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly readFile: (path: string) => string;
} = { env: process.env, readFile: (path) => readFileSync(path, 'utf8') };

/** How a file that holds a secret lies here: `open` when others than its owner may read it; `absent` also for what is no file. */
export function secretFileState(path: string): 'private' | 'open' | 'absent' {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined || !stats.isFile()) return 'absent';
  return (stats.mode & 0o044) === 0 ? 'private' : 'open';
}
