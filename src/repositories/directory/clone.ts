import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { hasErrnoCode } from '../../errors.ts';
import { explain } from './errors.ts';
import { lookAtObject, safePath } from './paths.ts';
import { TEMPORARY_FOLDER } from './temporary.ts';
import { discard, ensureFolder, place, type Writer } from './write.ts';

/** How a file may share its blocks with another one: each its own to change, or one file under two names. */
export type Sharing = 'reflink' | 'hardlink';

export interface Cloning {
  readonly from: string;
  readonly to: string;
  /** What it should have; undefined where that does not matter. */
  readonly bytes: number | undefined;
  readonly sharing: Sharing;
}

/** What a file system says that cannot share blocks, or not these. */
const CANNOT = ['ENOTSUP', 'EOPNOTSUPP', 'EXDEV', 'EINVAL', 'ENOSYS', 'ENOTTY', 'EPERM', 'EMLINK', 'ENOENT'] as const;

/** Makes an object of the blocks of another one; false, and nothing changed, where that is not possible. */
export async function cloneObject(writer: Writer, { from, to, bytes, sharing }: Cloning): Promise<boolean> {
  const { root, steps } = writer;
  const [source, target] = [safePath(root, from), safePath(root, to)];
  const found = lookAtObject(root, from);
  if (found === undefined || found.size !== (bytes ?? found.size)) return false;
  try {
    if (sharing === 'hardlink' && (await linkInPlace(writer, source, target))) return true;
    lookAtObject(root, to);
    const temporary = join(root, TEMPORARY_FOLDER, writer.newTemporaryName());
    try {
      await ensureFolder(writer, join(root, TEMPORARY_FOLDER));
      if (sharing === 'hardlink') await steps.link(source, temporary);
      else await steps.reflink(source, temporary);
      await place(writer, target, () => steps.rename(temporary, target));
      return true;
    } finally {
      // Also after a rename of one name of a file to another one of its names, which does nothing.
      await discard(writer, temporary);
    }
  } catch (error) {
    if (hasErrnoCode(error, ...CANNOT) && lstatSync(root, { throwIfNoEntry: false }) !== undefined) return false;
    throw explain(error, 'write', to, root);
  }
}

/** A link to a whole file is whole at once; false where something has its name. */
async function linkInPlace(writer: Writer, source: string, target: string): Promise<boolean> {
  try {
    await place(writer, target, () => writer.steps.link(source, target));
    return true;
  } catch (error) {
    if (hasErrnoCode(error, 'EEXIST')) return false;
    throw error;
  }
}
