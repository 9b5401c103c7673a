import { readdirSync } from 'node:fs';
import { targetError } from '../../errors.ts';
import { type ByteName, folderOf, joinNames, quoteName, toBuffer } from './byte-name.ts';
import type { Mounts } from './mounts.ts';
import { isOwnName, ownPath } from './own-names.ts';
import { kindAt } from './placement.ts';
import { isFilledInside, type Staging } from './staging.ts';
import type { Move } from './swap-journal.ts';

export interface MoveOptions {
  /** `new` expects nothing but empty folders; `replace` keeps what stands there. */
  readonly mode: 'new' | 'replace';
  readonly snapshot: string;
  readonly mounts: Mounts;
  /** File systems mounted below a place were not captured and stay as they are. */
  readonly oneFileSystem: boolean;
}

export interface PlannedMoves {
  readonly moves: readonly Move[];
  readonly asideFolders: readonly ByteName[];
  readonly kept: readonly ByteName[];
  /** Folders that stay and get the metadata of what was built, as names in the archive. */
  readonly filledInside: readonly ByteName[];
  readonly warnings: readonly string[];
}

/** Says how what was built in a staging folder takes its place by renames. Throws `target` where that cannot work. */
export function planMoves(staging: Staging, options: MoveOptions): PlannedMoves {
  const { mode, snapshot, mounts } = options;
  const moves: Move[] = [];
  const asideFolders: ByteName[] = [];
  const kept: ByteName[] = [];
  const filledInside: ByteName[] = [];
  const warnings: string[] = [];

  const replace = (staged: ByteName, place: ByteName): void => {
    if (kindAt(place) === 'absent') {
      moves.push({ staged, place, aside: null });
    } else if (mode === 'new') {
      moves.push({ staged, place, aside: joinNames(staging.folder, `empty-${moves.length}`) });
    } else {
      const aside = freeName(ownPath(folderOf(place), place, 'old', snapshot), kept);
      kept.push(aside);
      moves.push({ staged, place, aside });
    }
  };

  const fill = (staged: ByteName, place: ByteName, unit: ByteName): void => {
    filledInside.push(unit);
    const aside = freeName(ownPath(place, place, 'old', snapshot), kept);
    const movesBefore = moves.length;
    const built = new Set(namesIn(staged));
    for (const name of namesIn(place)) {
      const child = joinNames(place, name);
      if (
        isOwnName(name) ||
        (built.has(name) && isEnteredLater(child)) ||
        (!built.has(name) && isLostAndFound(name, place, mounts))
      )
        continue;
      if (isMountedAt(child)) {
        built.delete(name);
        warnings.push(`${quoteName(child)} is on another file system and was left as it is`);
        continue;
      }
      if (mode === 'new') continue;
      moves.push({
        staged: built.delete(name) ? joinNames(staged, name) : null,
        place: child,
        aside: joinNames(aside, name),
      });
    }
    if (moves.length > movesBefore) {
      asideFolders.push(aside);
      kept.push(aside);
    }
    for (const name of built) {
      const [from, child] = [joinNames(staged, name), joinNames(place, name)];
      if (isEnteredLater(child) && kindAt(from) === 'folder') fill(from, child, joinNames(unit, name));
      else if (isMountedAt(child)) throw blocked(child);
      else moves.push({ staged: from, place: child, aside: null });
    }
  };

  const isMountedAt = (path: ByteName): boolean => mounts.isMountPoint(path) || mounts.hasMountBelow(path);
  const isEnteredLater = (path: ByteName): boolean =>
    isMountedAt(path) && !options.oneFileSystem && kindAt(path) === 'folder';

  for (const { unit, place } of staging.placements) {
    const staged = joinNames(staging.tree, unit);
    if (mounts.isMountPoint(place) && kindAt(place) === 'other') throw blocked(place);
    if (!isFilledInside(place, mounts)) replace(staged, place);
    else if (kindAt(staged) === 'folder') fill(staged, place, unit);
    else throw blocked(place);
  }
  return { moves, asideFolders, kept, filledInside, warnings };
}

/** The names in a folder, or none. */
export const namesIn = (folder: ByteName): readonly ByteName[] =>
  readdirSync(toBuffer(folder), { encoding: 'buffer' }).map((name) => name.toString('latin1'));

/** True for what a fresh ext file system holds and nobody put there. */
export const isLostAndFound = (name: ByteName, folder: ByteName, mounts: Mounts): boolean =>
  name === 'lost+found' && mounts.isMountPoint(folder);

function freeName(path: ByteName, taken: readonly ByteName[]): ByteName {
  for (let number = 1; ; number++) {
    const name = number === 1 ? path : `${path}-${number}`;
    if (!taken.includes(name) && kindAt(name) === 'absent') return name;
  }
}

const blocked = (place: ByteName): Error =>
  targetError(`cannot restore ${quoteName(place)}: something is mounted there that cannot be replaced`, {
    hint: 'unmount it, or restore elsewhere with `--into root=…`',
  });
