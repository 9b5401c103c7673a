import { join } from 'node:path';
import type { Context } from '../../context.ts';
import type { RestoreOutcome } from '../engine.ts';
import { buildAndSwap } from './build-and-swap.ts';
import { fromText, joinNames } from './byte-name.ts';
import { saveFolders } from './folder-metadata.ts';
import type { Placement } from './placement.ts';
import { planMoves } from './plan-moves.ts';
import type { RestoreWork } from './restore-work.ts';
import { setAsideAt } from './set-aside.ts';
import { isFilledInside } from './staging.ts';
import type { FolderArchive } from './swap-journal.ts';

/** Builds what is restored beside its place, compares it with the archive and swaps it in (modes `new` and `replace`). */
export async function putInPlace(
  work: RestoreWork,
  mode: 'new' | 'replace',
  placements: readonly Placement[],
  context: Context,
): Promise<RestoreOutcome> {
  const { tar, mounts, survey, request, chosen, base } = work;
  const oneFileSystem = request.destination.oneFileSystem ?? false;
  const order = {
    placements,
    replaces: true,
    before: await saveFilledFolders(work, placements, context),
    namesFor: (staging: { readonly placements: readonly Placement[] }, isOnly: boolean) =>
      isOnly && chosen === null ? null : staging.placements.map(({ unit }) => unit),
  };
  const { built, plan } = await buildAndSwap(
    work,
    {
      ...order,
      async plan(stagings) {
        const plans = stagings.map((staging) =>
          planMoves(staging, { mode, snapshot: request.snapshot, mounts, oneFileSystem }),
        );
        const folders: FolderArchive[] = [];
        for (const [index, { folder, tree }] of stagings.entries()) {
          const names = plans[index]?.filledInside ?? [];
          if (names.length === 0) continue;
          const file = joinNames(folder, 'folders.tar');
          await saveFolders({ base: tree, names }, file, tar, context);
          folders.push({ file, base: base ?? '/' });
        }
        return {
          moves: plans.flatMap(({ moves }) => moves),
          asideFolders: plans.flatMap(({ asideFolders }) => asideFolders),
          kept: plans.flatMap(({ kept }) => kept),
          warnings: plans.flatMap(({ warnings }) => warnings),
          folders,
        };
      },
    },
    context,
  );
  const isExact = chosen === null && built.every((one) => one.isExact);
  const { entries, files, bytes } = survey.chosen.facts;
  return {
    facts: isExact ? survey.whole.facts : null,
    keptOld: plan.kept.map(setAsideAt),
    restored: { entries, files, bytes },
    conflicts: [],
    warnings: [...built.flatMap((one) => one.warnings), ...plan.warnings],
  };
}

/** Folders that are filled from the inside keep their own metadata until the end: it is kept for an undo. */
async function saveFilledFolders(
  { mounts, tar }: RestoreWork,
  placements: readonly Placement[],
  context: Context,
): Promise<readonly FolderArchive[]> {
  const filled = placements.filter(({ place }) => isFilledInside(place, mounts));
  const names = filled.map(({ place }) => place.slice(1) || '.');
  if (names.length === 0) return [];
  const file = fromText(join(context.workDir, 'folders-before.tar'));
  await saveFolders({ base: '/', names }, file, tar, context);
  return [{ file, base: '/' }];
}
