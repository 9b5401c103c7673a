import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { expect } from 'vitest';

/** True while a process exists that is not a zombie. */
export function isAlive(pid: number | undefined): boolean {
  if (pid === undefined) return false;
  try {
    process.kill(pid, 0);
    return !stateOf(pid).startsWith('Z');
  } catch {
    return false;
  }
}

function stateOf(pid: number): string {
  if (!existsSync('/proc/self/stat'))
    return execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' });
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2);
}

/** The numbers a child wrote into a file, once they are there. */
export async function waitFor(path: string): Promise<readonly number[]> {
  const read = async (): Promise<readonly number[]> =>
    (await readFile(path, 'utf8').catch(() => '')).trim().split(/\s+/).filter(Boolean).map(Number);
  await expect.poll(async () => (await read()).length).toBeGreaterThan(0);
  return read();
}
