import { resolve } from 'node:path';
import type { Context } from '../../context.ts';
import type { SetAside, TargetOf } from '../engine.ts';
import { livingOwner, refuseWhileAlive, removeAbandoned } from './abandoned.ts';
import { finishFolders } from './build-and-swap.ts';
import { type ByteName, fromText, quoteName } from './byte-name.ts';
import { memberName, rootPaths } from './capture-roots.ts';
import { placeUnits, type Placement } from './placement.ts';
import { removeTree } from './remove-tree.ts';
import { setAsideAt } from './set-aside.ts';
import { finishSwap } from './swap.ts';
import { findJournals, ownThings, removeFile } from './swap-journal.ts';
import type { TarProgram } from './tar-program.ts';

/** What an earlier, killed restore left and what was done about it. */
export interface Repair {
  readonly notes: readonly string[];
  /** A swap that had begun was brought to its end. */
  readonly hasFinished: boolean;
  readonly keptOld: readonly SetAside[];
}

/** The places of a target's own paths, at their original place or below its `root`. */
export function placesOf(target: TargetOf<'files'>): readonly Placement[] {
  const names = rootPaths(target).map(memberName);
  return placeUnits(names, names, baseOf(target));
}

export const baseOf = (target: TargetOf<'files'>): ByteName | null =>
  target.root === undefined ? null : fromText(resolve(target.root));

/** True where `repairPlaces` would have something to do. Changes nothing. */
export const needsRepair = (placements: readonly Placement[], context: Context): boolean =>
  placements.some(({ rootPlace }) => findJournals(rootPlace, context).found.length > 0);

/**
 * Finishes swaps that a killed restore began, and removes what it had only half built. What a living one is building is
 * left alone; a capture does not mind it, a restore to the same place refuses it when it makes its own.
 */
export async function repairPlaces(
  placements: readonly Placement[],
  tar: TarProgram,
  context: Context,
): Promise<Repair> {
  const notes: string[] = [];
  let hasFinished = false;
  const keptOld: SetAside[] = [];
  const places = new Set(placements.flatMap(({ place, rootPlace }) => [rootPlace, place]));
  for (const place of places) {
    const journals = findJournals(place, context);
    for (const found of journals.found) {
      const { journal } = found;
      for (const staging of journal.stagings) refuseWhileAlive(staging, context);
      await finishSwap(found, tar, context);
      hasFinished = true;
      const removeStagings = async (): Promise<void> => {
        for (const staging of journal.stagings) await removeTree(staging);
      };
      await finishFolders(journal.folders, removeStagings, tar, context);
      keptOld.push(...journal.kept.map(setAsideAt));
      const old = journal.kept.length === 0 ? '' : `; the old state is ${journal.kept.map(quoteName).join(', ')}`;
      notes.push(`finished the interrupted restore of ${journal.snapshot} to ${quoteName(place)}${old}`);
    }
    for (const path of journals.stale) removeFile(path);
    for (const staging of ownThings(place, 'new')) {
      if (livingOwner(staging, context) !== null || !(await removeAbandoned(staging, context))) continue;
      notes.push(
        `removed ${quoteName(staging)}, which an interrupted restore had left; nothing else was changed by it`,
      );
    }
  }
  return { notes, hasFinished, keptOld };
}
