import { existsSync, lstatSync, readFileSync, writeFileSync } from 'node:fs';
import type { Context } from '../../context.ts';
import { targetError } from '../../errors.ts';
import { type ByteName, joinNames, quoteName, toBuffer } from './byte-name.ts';
import { removeTree } from './remove-tree.ts';

const OWNER = 'owner.json';

/** Writes into a staging folder whose it is, so that another run can tell whether it is still at work. */
export function signStaging(staging: ByteName, { host, workDir }: Context): void {
  const owner = { pid: host.pid, host: host.name, bootId: host.bootId, workDir };
  writeFileSync(toBuffer(joinNames(staging, OWNER)), JSON.stringify(owner), { mode: 0o600, flag: 'wx' });
}

/**
 * Removes a staging folder that a killed run left. False where others could have made it: then it is not ours to remove.
 * Throws `target` while the run that made it is alive.
 */
export async function removeAbandoned(staging: ByteName, context: Context): Promise<boolean> {
  const stats = lstatSync(toBuffer(staging), { throwIfNoEntry: false });
  if (stats === undefined || stats.uid !== context.host.uid || (stats.mode & 0o077) !== 0) return false;
  refuseWhileAlive(staging, context);
  await removeTree(staging);
  return true;
}

/** Throws `target` while the run that made a staging folder is alive. */
export function refuseWhileAlive(staging: ByteName, context: Context): void {
  const pid = livingOwner(staging, context);
  if (pid === null) return;
  throw targetError(`cannot touch ${quoteName(staging)}: a restore is at work in it`, {
    hint: `wait for process ${pid}, or stop it`,
  });
}

/** The process that works in a staging folder, or null. A run has ended when its work folder has gone. */
export function livingOwner(staging: ByteName, { host }: Context): number | null {
  let owner: { readonly [key: string]: unknown };
  try {
    owner = JSON.parse(readFileSync(toBuffer(joinNames(staging, OWNER)), 'utf8')) as typeof owner;
  } catch {
    return null;
  }
  const { pid, workDir } = owner;
  if (typeof pid !== 'number' || typeof workDir !== 'string') return null;
  if (owner['host'] !== host.name || owner['bootId'] !== host.bootId) return null;
  return host.isAlive(pid) && existsSync(workDir) ? pid : null;
}
