import { lstatSync, readFileSync, writeFileSync } from 'node:fs';
import type { Context } from '../../context.ts';
import { targetError } from '../../errors.ts';
import { type ByteName, joinNames, quoteName, toBuffer } from './byte-name.ts';
import { removeTree } from './remove-tree.ts';

const OWNER = 'owner.json';

/** Writes into a staging folder whose it is, so that another run can tell whether it is still at work. */
export function signStaging(staging: ByteName, { host }: Context): void {
  const owner = { pid: host.pid, host: host.name, bootId: host.bootId };
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
export function refuseWhileAlive(staging: ByteName, { host }: Context): void {
  let owner: { readonly pid?: unknown; readonly host?: unknown; readonly bootId?: unknown };
  try {
    owner = JSON.parse(readFileSync(toBuffer(joinNames(staging, OWNER)), 'utf8')) as typeof owner;
  } catch {
    return;
  }
  const { pid } = owner;
  if (typeof pid !== 'number' || owner.host !== host.name || owner.bootId !== host.bootId) return;
  if (pid === host.pid || !host.isAlive(pid)) return;
  throw targetError(`cannot restore: another restore is at work in ${quoteName(staging)}`, {
    hint: `wait for process ${pid}, or stop it`,
  });
}
