import { lstatSync } from 'node:fs';
import type { Context } from '../../context.ts';
import { hasErrnoCode, reasonOf, targetError } from '../../errors.ts';
import type { SetAside } from '../engine.ts';
import { type ByteName, fromText, quoteName, toBuffer, toText } from './byte-name.ts';
import { readMounts } from './mounts.ts';
import { isSetAsidePath } from './own-names.ts';
import { removeTree } from './remove-tree.ts';

/** How something set aside is remembered: its path. */
export function setAsideAt(path: ByteName): SetAside {
  const reference = toText(path);
  if (reference === null) throw targetError(`cannot set aside ${quoteName(path)}: its path is not UTF-8`);
  return { type: 'files', reference };
}

export function setAsideExists(old: SetAside): boolean {
  try {
    lstatSync(toBuffer(pathOf(old)));
    return true;
  } catch (error) {
    if (hasErrnoCode(error, 'ENOENT', 'ENOTDIR')) return false;
    throw targetError(`cannot look at ${old.reference}: ${reasonOf(error)}`, { cause: error });
  }
}

/** Removes what a restore set aside; what is gone already is fine. */
export async function removeSetAside(old: SetAside, context: Context): Promise<void> {
  const path = pathOf(old);
  const mounts = await readMounts(context);
  if (mounts.isMountPoint(path) || mounts.hasMountBelow(path)) {
    throw targetError(`cannot remove ${quoteName(path)}: another file system is mounted in it`, {
      hint: 'unmount it first',
    });
  }
  if (context.host.uid !== 0) {
    await removeTree(path).catch((error: unknown) => {
      throw targetError(`cannot remove ${quoteName(path)}: ${reasonOf(error)}`, { cause: error });
    });
    return;
  }
  // Others may still write there: rm cannot be led away by a folder that turns into a symlink.
  const { exitCode, stderr } = await context.run({ argv: ['rm', '-rf', '--', old.reference] });
  if (exitCode !== 0) throw targetError(`cannot remove ${quoteName(path)}: ${stderr.split('\n')[0] ?? ''}`);
}

function pathOf(old: SetAside): ByteName {
  const path = fromText(old.reference);
  const parts = path.split('/');
  if (old.type === 'files' && isSetAsidePath(path) && !parts.includes('..') && !parts.includes('.')) return path;
  throw targetError(`cannot touch ${old.reference}: no restore of files made it`, {
    hint: 'what a restore sets aside is named `.<name>.bkp-old-<snapshot>`',
  });
}
