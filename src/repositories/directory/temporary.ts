import { createHash, randomBytes } from 'node:crypto';
import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { hasErrnoCode } from '../../errors.ts';
import type { FileSteps } from '../file-steps.ts';
import type { RepositoryEdge } from '../repository.ts';
import { explain } from './errors.ts';
import { requireRoot } from './paths.ts';

/** Unfinished objects lie here; its name cannot be part of a key. */
export const TEMPORARY_FOLDER = '.tmp';

/** A writer that did not touch its file for a day is taken for dead, whatever machine it ran on. */
const ABANDONED_AFTER_MS = 24 * 3_600_000;

/** A new name `.tmp/<machine>-<pid>-<random>`, which tells the sweep whose it is. */
export function temporaryName({ host }: RepositoryEdge): string {
  return `${machineOf(host)}-${host.pid}-${randomBytes(8).toString('hex')}`;
}

/** Removes what dead writers left; files of living ones and young files of other machines stay. */
export async function sweepTemporary(root: string, steps: FileSteps, edge: RepositoryEdge): Promise<number> {
  requireRoot(root);
  const folder = join(root, TEMPORARY_FOLDER);
  let removed = 0;
  for (const name of namesIn(root, folder)) {
    const path = join(folder, name);
    if (!isAbandoned(path, name, edge)) continue;
    try {
      await steps.removeFile(path);
      removed++;
    } catch (error) {
      if (!hasErrnoCode(error, 'ENOENT')) throw explain(error, 'remove', `${TEMPORARY_FOLDER}/${name}`, root);
    }
  }
  return removed;
}

function namesIn(root: string, folder: string): readonly string[] {
  try {
    return lstatSync(folder, { throwIfNoEntry: false })?.isDirectory() === true ? readdirSync(folder) : [];
  } catch (error) {
    throw explain(error, 'list', TEMPORARY_FOLDER, root);
  }
}

function isAbandoned(path: string, name: string, { clock, host }: RepositoryEdge): boolean {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  const [machine, pid] = name.split('-');
  if (stats?.isFile() !== true || pid === undefined) return false;
  if (host.bootId !== '' && machine === machineOf(host)) return !host.isAlive(Number(pid));
  return clock.now().getTime() - stats.mtimeMs > ABANDONED_AFTER_MS;
}

/** Equal only where process ids mean the same. */
function machineOf({ name, bootId }: RepositoryEdge['host']): string {
  return createHash('sha256').update(`${name} ${bootId}`).digest('hex').slice(0, 12);
}
