import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { PolicyFiles } from '../policy/read-documents.ts';

/** Policy files of this machine; `-` is read by `readStdin`. */
export function systemPolicyFiles(readStdin: () => Promise<string>): PolicyFiles {
  return {
    absolute: (path) => resolve(path),
    read: async (path) => (path === '-' ? Buffer.from(await readStdin()) : await readFile(path)),
    glob: async (pattern, directory) => {
      const { glob } = await import('tinyglobby');
      return (await glob(pattern, { cwd: directory, absolute: true, dot: false, expandDirectories: false })).toSorted();
    },
  };
}
