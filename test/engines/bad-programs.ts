import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findTool } from '../../src/system/find-tool.ts';

/** How a program misbehaves: it is killed early, or does all of its work and then fails. */
export type Misbehaviour = 'is killed' | 'fails after its work';

/**
 * A PATH on which one program misbehaves whenever a word is on its command line (always, when the word is empty).
 */
export async function pathWithBad(folder: string, tool: string, word: string, how: Misbehaviour): Promise<string> {
  const real = findTool(tool, process.env['PATH']);
  if (real === undefined) throw new Error(`${tool} is missing`);
  const bin = join(folder, `bin-${how.replaceAll(' ', '-')}`);
  await mkdir(bin, { recursive: true });
  const bad = how === 'is killed' ? `'${real}' "$@" | head -c 100000; kill -9 $$` : `'${real}' "$@"; exit 3`;
  await writeFile(join(bin, tool), `#!/bin/sh\ncase " $* " in *"${word}"*) ${bad};; esac\nexec '${real}' "$@"\n`);
  await chmod(join(bin, tool), 0o755);
  return `${bin}:${process.env['PATH']}`;
}
