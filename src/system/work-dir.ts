import { createHash } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Host } from '../context.ts';
import { hasErrnoCode } from '../errors.ts';

/**
 * Makes a private folder for one run and removes those that killed runs of this machine left in the same place.
 * The name holds the owner: `bkp-<machine>-<pid>-<random>`.
 */
export async function makeWorkDir(parent: string, host: Host): Promise<string> {
  const prefix = `bkp-${machineTag(host)}-`;
  await removeAbandoned(parent, prefix);
  const path = await mkdtemp(join(parent, `${prefix}${host.pid}-`));
  await chmod(path, 0o700);
  return path;
}

async function removeAbandoned(parent: string, prefix: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const pid = name.startsWith(prefix) ? Number.parseInt(name.slice(prefix.length), 10) : Number.NaN;
    if (Number.isNaN(pid) || isAlive(pid)) continue;
    // Another user's folder stays: it is theirs to remove.
    await rm(join(parent, name), { recursive: true, force: true }).catch(() => undefined);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !hasErrnoCode(error, 'ESRCH');
  }
}

/** Equal only where process ids mean the same: same boot, same process id namespace. */
function machineTag(host: Host): string {
  let namespace = '';
  try {
    namespace = readlinkSync('/proc/self/ns/pid');
  } catch {
    // No namespaces here.
  }
  return createHash('sha256').update(`${host.name} ${host.bootId} ${namespace}`).digest('hex').slice(0, 8);
}
