import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { findTool } from '../../src/system/find-tool.ts';

/** A PATH of its own that has only the named programs. */
export async function pathWith(folder: string, tools: readonly string[]): Promise<string> {
  const path = join(folder, 'bin');
  await mkdir(path, { recursive: true });
  for (const tool of tools) {
    const found = findTool(tool, process.env['PATH']);
    if (found === undefined) throw new Error(`${tool} is missing`);
    await symlink(found, join(path, tool));
  }
  return path;
}
