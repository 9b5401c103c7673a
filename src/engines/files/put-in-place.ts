import { join } from 'node:path';
import type { Context } from '../../context.ts';
import type { RestoreOutcome } from '../engine.ts';
import { buildTree, type Built } from './build.ts';
import { type ByteName, folderOf, fromText, joinNames } from './byte-name.ts';
import { kindAt, type Placement } from './placement.ts';
import { planMoves } from './plan-moves.ts';
import { saveFolders } from './folder-metadata.ts';
import type { RestoreWork } from './restore-work.ts';
import { setAsideAt } from './set-aside.ts';
import { isFilledInside, isWritable, makeStagings, type Staging } from './staging.ts';
import { swap } from './swap.ts';
import { type FolderArchive, type JournalPaths, journalPath, type SwapJournal } from './swap-journal.ts';

/** Builds what is restored beside its place, compares it with the archive and swaps it in (modes `new` and `replace`). */
export async function putInPlace(
  work: RestoreWork,
  mode: 'new' | 'replace',
  placements: readonly Placement[],
  context: Context,
): Promise<RestoreOutcome> {
  const { tar, mounts, survey, request, chosen } = work;
  const undoFolders = await saveFilledFolders(work, placements, context);
  const options = { snapshot: request.snapshot, mounts, tar, replaces: true };
  const stagings = await makeStagings(placements, options, context);
  let isOver = false;
  try {
    const built: Built[] = [];
    for (const staging of stagings.all) {
      const names = stagings.all.length === 1 && chosen === null ? null : staging.placements.map(({ unit }) => unit);
      built.push(await buildTree({ artifact: work.artifact, survey, names, tar }, staging, context));
    }
    const plans = stagings.all.map((staging) => ({
      staging,
      plan: planMoves(staging, {
        mode,
        snapshot: request.snapshot,
        mounts,
        oneFileSystem: request.destination.oneFileSystem ?? false,
      }),
    }));
    const folders: FolderArchive[] = [];
    for (const { staging, plan } of plans) {
      if (plan.filledInside.length === 0) continue;
      const file = joinNames(staging.folder, 'folders.tar');
      await saveFolders({ base: staging.tree, names: plan.filledInside }, file, tar, context);
      folders.push({ file, base: work.base ?? '/' });
    }
    const kept = plans.flatMap(({ plan }) => plan.kept);
    const journal: SwapJournal = {
      formatVersion: 1,
      snapshot: request.snapshot,
      moves: plans.flatMap(({ plan }) => plan.moves),
      asideFolders: plans.flatMap(({ plan }) => plan.asideFolders),
      folders,
      stagings: stagings.all.map(({ folder }) => folder),
      kept,
    };
    await swap(journal, journalPaths(placements, stagings.all, request.snapshot), undoFolders, tar, context);
    isOver = true;
    const isExact = chosen === null && built.every((one) => one.isExact);
    return {
      facts: isExact ? survey.whole.facts : null,
      keptOld: kept.map(setAsideAt),
      restored: restoredFacts(survey.chosen.facts),
      conflicts: [],
      warnings: [...built.flatMap((one) => one.warnings), ...plans.flatMap(({ plan }) => plan.warnings)],
    };
  } finally {
    await (isOver ? stagings.finish() : stagings.remove());
  }
}

/** Where the journals lie: for each captured path beside it, or in it where nothing can be written beside it. */
export function journalPaths(
  placements: readonly Placement[],
  stagings: readonly Staging[],
  snapshot: string,
): JournalPaths {
  const homes = new Map<ByteName, ByteName>();
  for (const { rootPlace } of placements) {
    const home = [folderOf(rootPlace), rootPlace].find((folder) => kindAt(folder) === 'folder' && isWritable(folder));
    if (home !== undefined) homes.set(rootPlace, journalPath(home, rootPlace, snapshot));
  }
  const fallback = stagings.flatMap(({ folder, placements: [first] }) =>
    first === undefined ? [] : [journalPath(folderOf(folder), first.place, snapshot)],
  );
  const [primary, ...others] = homes.size > 0 ? new Set(homes.values()) : new Set(fallback);
  if (primary === undefined) throw new Error('a restore of nothing');
  return [primary, ...others];
}

export const restoredFacts = (facts: RestoreWork['survey']['whole']['facts']): RestoreOutcome['restored'] => ({
  entries: facts.entries,
  files: facts.files,
  bytes: facts.bytes,
});

/** Folders that are filled from the inside keep their own metadata until the end: it is kept for an undo. */
async function saveFilledFolders(
  { mounts, tar }: RestoreWork,
  placements: readonly Placement[],
  context: Context,
): Promise<readonly FolderArchive[]> {
  const names = placements
    .filter(({ place }) => isFilledInside(place, mounts))
    .map(({ place }) => place.slice(1) || '.');
  if (names.length === 0) return [];
  const file = fromText(join(context.workDir, 'folders-before.tar'));
  await saveFolders({ base: '/', names }, file, tar, context);
  return [{ file, base: '/' }];
}
