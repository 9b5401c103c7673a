import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { hasErrnoCode } from '../../errors.ts';
import { explain } from './errors.ts';
import { lookAtObject, safePath } from './paths.ts';
import { TEMPORARY_FOLDER } from './temporary.ts';
import { discard, ensureFolder, place, type Writer } from './write.ts';

/** How a file may share its blocks with another one: each its own to change, or one file under two names. */
export type Sharing = 'reflink' | 'hardlink';

/** What a file system says that cannot share blocks, or not these. */
const CANNOT = ['ENOTSUP', 'EOPNOTSUPP', 'EXDEV', 'EINVAL', 'ENOSYS', 'ENOTTY', 'EPERM', 'EMLINK', 'ENOENT'] as const;

/** Makes an object of the blocks of another one; false, and nothing changed, where that is not possible. */
export async function cloneObject(writer: Writer, from: string, to: string, sharing: Sharing): Promise<boolean> {
  const { root, steps } = writer;
  const [source, target] = [safePath(root, from), safePath(root, to)];
  if (lookAtObject(root, from) === undefined) return false;
  lookAtObject(root, to);
  const temporary = join(root, TEMPORARY_FOLDER, writer.newTemporaryName());
  try {
    await ensureFolder(writer, join(root, TEMPORARY_FOLDER));
    if (sharing === 'hardlink') await steps.link(source, temporary);
    else await steps.reflink(source, temporary);
    await place(writer, target, () => steps.rename(temporary, target));
    return true;
  } catch (error) {
    if (hasErrnoCode(error, ...CANNOT) && lstatSync(root, { throwIfNoEntry: false }) !== undefined) return false;
    throw explain(error, 'write', to, root);
  } finally {
    // Also after a rename of one name of a file to another one of its names, which does nothing.
    await discard(writer, temporary);
  }
}
