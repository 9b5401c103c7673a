import { type BigIntStats, type Dirent, lstatSync, readdirSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { hasErrnoCode, reasonOf, targetError, throwIfAborted } from '../../errors.ts';
import { type ByteName, joinNames, quoteName, toBuffer } from './byte-name.ts';
import { isOwnName } from './own-names.ts';

export interface WalkOptions {
  /** The folder that names are relative to. */
  readonly base: ByteName;
  readonly oneFileSystem: boolean;
  /** Paths that are not entered or told (other roots, the work folder), relative to `base`. */
  readonly skip: ReadonlySet<ByteName>;
  readonly signal: AbortSignal;
}

/** One thing met on the way; `relative` is the name below the root, empty for the root itself. */
export interface Met {
  readonly name: ByteName;
  readonly relative: ByteName;
  readonly isFolder: boolean;
  readonly isSocket: boolean;
  /** Looks at it; null when it has gone. */
  stat(): BigIntStats | null;
}

/** What to do with a folder: go in, leave it alone, or end the walk. */
export type WalkAnswer = 'enter' | 'pass' | 'stop';

/**
 * Goes through a tree in the order of the names' bytes, folders before what is in them, as GNU tar sorts. What vanishes
 * on the way is left out; a folder that cannot be read throws `target`. False when it was stopped.
 */
export async function walkTree(
  root: ByteName,
  options: WalkOptions,
  visit: (met: Met) => WalkAnswer,
): Promise<boolean> {
  const { base } = options;
  const statOf = (name: ByteName): BigIntStats | null => statOrNull(joinNames(base, name));
  const rootStats = statOf(root);
  if (rootStats === null) return true;
  const rootAnswer = visit({
    name: root,
    relative: '',
    isFolder: rootStats.isDirectory(),
    isSocket: rootStats.isSocket(),
    stat: () => rootStats,
  });
  if (rootAnswer === 'stop') return false;
  if (rootAnswer === 'pass' || !rootStats.isDirectory()) return true;

  /** Folders yet to be gone through, the deepest last. */
  const open: { readonly name: ByteName; readonly relative: ByteName; readonly entries: Iterator<Dirent<Buffer>> }[] =
    [];
  const enter = (name: ByteName, relative: ByteName): void => {
    open.push({ name, relative, entries: sortedEntries(joinNames(base, name)).values() });
  };
  enter(root, '');
  for (let folder = open.at(-1); folder !== undefined; folder = open.at(-1)) {
    const next = folder.entries.next();
    if (next.done === true) {
      open.pop();
      continue;
    }
    const own = next.value.name.toString('latin1');
    const name = folder.name === '.' ? own : joinNames(folder.name, own);
    if (isOwnName(own) || options.skip.has(name)) continue;
    const relative = joinNames(folder.relative, own);
    const isFolder = next.value.isDirectory();
    const answer = visit({ name, relative, isFolder, isSocket: next.value.isSocket(), stat: () => statOf(name) });
    if (answer === 'stop') return false;
    if (!isFolder || answer === 'pass') continue;
    if (options.oneFileSystem && statOf(name)?.dev !== rootStats.dev) continue;
    enter(name, relative);
    // Reading folders blocks: others get their turn, and an abort is seen.
    await setImmediate();
    throwIfAborted(options.signal);
  }
  return true;
}

/** The stats of a path that is not followed, or null where nothing is. */
export function statOrNull(path: ByteName): BigIntStats | null {
  try {
    return lstatSync(toBuffer(path), { bigint: true });
  } catch (error) {
    if (hasErrnoCode(error, 'ENOENT', 'ENOTDIR')) return null;
    throw targetError(`cannot look at ${quoteName(path)}: ${reasonOf(error)}`, { cause: error });
  }
}

function sortedEntries(folder: ByteName): readonly Dirent<Buffer>[] {
  try {
    const entries = readdirSync(toBuffer(folder), { withFileTypes: true, encoding: 'buffer' });
    return entries.toSorted((a, b) => a.name.compare(b.name));
  } catch (error) {
    if (hasErrnoCode(error, 'ENOENT', 'ENOTDIR')) return [];
    throw targetError(`cannot read folder ${quoteName(folder)}: ${reasonOf(error)}`, {
      hint: 'run bkp as a user who may read it, or exclude it',
      cause: error,
    });
  }
}
