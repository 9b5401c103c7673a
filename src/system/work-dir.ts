import { createHash } from 'node:crypto';
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Host } from '../context.ts';

/**
 * Makes a private folder for one run and removes those that killed runs of this machine left in the same place.
 * The name holds the owner: `bkp-<machine>-<pid>-<random>`.
 */
export async function makeWorkDir(parent: string, host: Host): Promise<string> {
  const prefix = `bkp-${machineTag(host)}-`;
  await removeAbandoned(parent, prefix, host);
  const path = await mkdtemp(join(parent, `${prefix}${host.pid}-`));
  await chmod(path, 0o700);
  return path;
}

async function removeAbandoned(parent: string, prefix: string, host: Host): Promise<void> {
  for (const name of await readdir(parent)) {
    const pid = name.startsWith(prefix) ? Number.parseInt(name.slice(prefix.length), 10) : Number.NaN;
    if (Number.isNaN(pid) || host.isAlive(pid)) continue;
    // Another user's folder stays: it is theirs to remove.
    await rm(join(parent, name), { recursive: true, force: true }).catch(() => undefined);
  }
}

/** Equal only where process ids mean the same. */
function machineTag(host: Host): string {
  return createHash('sha256').update(`${host.name} ${host.bootId}`).digest('hex').slice(0, 8);
}
