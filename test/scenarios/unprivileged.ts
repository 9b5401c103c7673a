import { execFileSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { ended, startIn, type Said, type World } from './world.ts';

const NOBODY = '65534';
const isRoot = process.getuid?.() === 0;

/** Gives a world to a user without privileges, where the test itself has them. */
export function handOver(world: World): void {
  if (!isRoot) return;
  execFileSync('chown', ['-R', `${NOBODY}:${NOBODY}`, '--', world.folder]);
  chmodSync(world.folder, 0o755);
}

/** Runs the real program as that user. */
export function bkpUnprivileged(world: World, ...args: readonly string[]): Promise<Said> {
  const program = [process.execPath, world.program, ...args];
  const setpriv = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];
  return ended(startIn(world, isRoot ? [...setpriv, ...program] : program));
}
