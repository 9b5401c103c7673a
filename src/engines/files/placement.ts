import { lstatSync, realpathSync } from 'node:fs';
import { hasErrnoCode, reasonOf, targetError } from '../../errors.ts';
import { type ByteName, folderOf, joinNames, lastPart, quoteName, toBuffer } from './byte-name.ts';
import { isBelow } from './capture-roots.ts';

/** Where one part of an archive (a captured path, a chosen or a missing one) comes back. */
export interface Placement {
  /** Its name in the archive. */
  readonly unit: ByteName;
  /** Its real path on this machine. */
  readonly place: ByteName;
  /** The real path of the captured path that it belongs to. */
  readonly rootPlace: ByteName;
}

/**
 * Says where names of an archive lie on this machine: at their original places, or below `base`. Symlinks on the way to
 * a captured path are the user's own and followed, those on the way to `base` too; below that, a restore goes through
 * real folders only, and anything else throws `target`.
 */
export function placeUnits(
  units: readonly ByteName[],
  roots: readonly ByteName[],
  base: ByteName | null,
): readonly Placement[] {
  const realBase = base === null ? null : realPath(base);
  const realFolders = new Map<ByteName, ByteName>();
  const realFolder = (folder: ByteName): ByteName => {
    const known = realFolders.get(folder) ?? realPath(folder);
    realFolders.set(folder, known);
    return known;
  };
  const findRoot = createRootFinder(roots);
  return units.map((unit) => {
    const root = findRoot(unit) ?? unit;
    if (realBase !== null) {
      const place = joinNames(realBase, unit);
      checkWay(place, realBase);
      return { unit, place, rootPlace: joinNames(realBase, root) };
    }
    if (root === '.') {
      const place = joinNames('/', unit);
      checkWay(place, '/');
      return { unit, place, rootPlace: '/' };
    }
    const trusted = realFolder(folderOf(`/${root}`));
    const rootPlace = joinNames(trusted, lastPart(root));
    const place = `${rootPlace}${unit.slice(root.length)}`;
    checkWay(place, trusted);
    return { unit, place, rootPlace };
  });
}

/** The parts of an archive that a choice asks for: chosen names, or the captured paths below them. */
export function unitsOfChoice(chosen: readonly ByteName[], roots: readonly ByteName[]): readonly ByteName[] {
  if (chosen.includes('.')) return roots;
  const findRoot = createRootFinder(roots);
  return chosen.flatMap((name) => (findRoot(name) === null ? roots.filter((root) => isBelow(root, name)) : [name]));
}

/** The root that a name is or lies in. */
function createRootFinder(roots: readonly ByteName[]): (name: ByteName) => ByteName | null {
  const all = new Set(roots);
  return (name) => {
    if (all.has('.')) return '.';
    for (let at = name; at !== ''; at = folderOf(at)) if (all.has(at)) return at;
    return null;
  };
}

/** A path without symlinks; what does not exist yet is kept as it is. */
function realPath(path: ByteName): ByteName {
  try {
    return realpathSync.native(toBuffer(path), { encoding: 'buffer' }).toString('latin1');
  } catch (error) {
    if (path !== '/' && hasErrnoCode(error, 'ENOENT', 'ENOTDIR'))
      return joinNames(realPath(folderOf(path)), lastPart(path));
    throw targetError(`cannot restore into ${quoteName(path)}: ${reasonOf(error)}`, { cause: error });
  }
}

function checkWay(place: ByteName, trusted: ByteName): void {
  const parts = place
    .slice(trusted === '/' ? 1 : trusted.length + 1)
    .split('/')
    .slice(0, -1);
  let at = trusted;
  for (const part of parts) {
    at = joinNames(at, part);
    const kind = kindAt(at);
    if (kind === 'absent') return;
    if (kind === 'folder') continue;
    throw targetError(`cannot restore ${quoteName(place)}: ${quoteName(at)} is not a folder there`, {
      hint: 'a restore never goes through a symbolic link; move it away, or restore elsewhere with `--into root=…`',
    });
  }
}

export type PlaceKind = 'absent' | 'folder' | 'other';

/** What stands at a path, without following a link. */
export function kindAt(path: ByteName): PlaceKind {
  try {
    return lstatSync(toBuffer(path)).isDirectory() ? 'folder' : 'other';
  } catch (error) {
    if (hasErrnoCode(error, 'ENOENT', 'ENOTDIR')) return 'absent';
    throw targetError(`cannot look at ${quoteName(path)}: ${reasonOf(error)}`, { cause: error });
  }
}
