import { accessSync, constants } from 'node:fs';
import type { Context } from '../../context.ts';
import { BkpError, reasonOf } from '../../errors.ts';
import type { DestinationState, Problem, TargetOf } from '../engine.ts';
import { type ByteName, folderOf, quoteName, toBuffer } from './byte-name.ts';
import { type Mounts, readMounts } from './mounts.ts';
import { isOwnName } from './own-names.ts';
import { kindAt, type Placement } from './placement.ts';
import { isLostAndFound, namesIn } from './plan-moves.ts';
import { needsRepair, placesOf } from './repair.ts';
import { walkTree } from './walk.ts';

const MOST_COUNTED = 100_000;

/** True where a restore in mode `new` may write: nothing is there, or an empty folder. */
export function isFree(place: ByteName, mounts: Mounts): boolean {
  const kind = kindAt(place);
  if (kind !== 'folder') return kind === 'absent';
  return namesIn(place).every((name) => isOwnName(name) || isLostAndFound(name, place, mounts));
}

/** Looks at the places of a target without changing anything. */
export async function inspectFilesDestination(
  destination: TargetOf<'files'>,
  context: Context,
): Promise<DestinationState> {
  let placements: readonly Placement[];
  try {
    placements = placesOf(destination);
  } catch (error) {
    if (!(error instanceof BkpError)) throw error;
    const problem = { message: error.message, hint: error.hint };
    return { state: 'unsuitable', description: 'in the way: not a folder', problems: [problem] };
  }
  const mounts = await readMounts(context);
  const problems: Problem[] = placements.flatMap(({ place }) => writeProblems(place, mounts));
  const pending = needsRepair(placements, context) ? ', an interrupted restore is finished first' : '';
  const there = placements.filter(({ place }) => kindAt(place) !== 'absent');
  if (there.length === 0) return { state: 'absent', description: `nothing there${pending}`, problems };
  if (there.every(({ place }) => isFree(place, mounts))) {
    return {
      state: 'empty',
      description: `${there.length === 1 ? 'empty folder' : 'empty folders'}${pending}`,
      problems,
    };
  }
  return { state: 'occupied', description: `${await describe(there, placements.length, context)}${pending}`, problems };
}

async function describe(there: readonly Placement[], asked: number, context: Context): Promise<string> {
  let entries = 0;
  const options = { base: '/', oneFileSystem: false, skip: new Set<ByteName>(), signal: context.signal };
  for (const { place } of there) {
    const count = (): 'enter' | 'stop' => (++entries < MOST_COUNTED ? 'enter' : 'stop');
    await walkTree(place === '/' ? '.' : place.slice(1), options, count).catch(() => undefined);
  }
  const count = entries >= MOST_COUNTED ? `over ${MOST_COUNTED.toLocaleString('en')}` : entries.toLocaleString('en');
  const [only] = there;
  if (asked === 1 && only !== undefined) {
    return kindAt(only.place) === 'folder' ? `folder with ${count} entries` : 'a file';
  }
  return `${there.length} of ${asked} paths, ${count} entries`;
}

/** What would keep a restore from writing at a place or beside it. */
function writeProblems(place: ByteName, mounts: Mounts): readonly Problem[] {
  if (kindAt(place) === 'other' && mounts.isMountPoint(place)) {
    return [
      {
        message: `cannot restore ${quoteName(place)}: a file is mounted there`,
        hint: 'unmount it, or restore elsewhere',
      },
    ];
  }
  let folder = folderOf(place) === '' ? '/' : folderOf(place);
  while (kindAt(folder) === 'absent') folder = folderOf(folder);
  try {
    accessSync(toBuffer(folder), constants.W_OK | constants.X_OK);
    return [];
  } catch (error) {
    try {
      if (kindAt(place) !== 'folder') throw error;
      accessSync(toBuffer(place), constants.W_OK | constants.X_OK);
      return [];
    } catch {
      return [
        {
          message: `cannot write to ${quoteName(folder)}: ${reasonOf(error)}`,
          hint: 'run bkp as a user who may, or restore elsewhere with `--into root=…`',
        },
      ];
    }
  }
}
