import { randomUUID } from 'node:crypto';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../../context.ts';
import { buildTree, type Built } from './build.ts';
import { type ByteName, folderOf, fromText, toBuffer } from './byte-name.ts';
import { applyFolders } from './folder-metadata.ts';
import { kindAt, type Placement } from './placement.ts';
import type { RestoreWork } from './restore-work.ts';
import { isWritable, makeStagings, type Staging } from './staging.ts';
import { swap } from './swap.ts';
import { type FolderArchive, type JournalPaths, journalPath, type SwapJournal } from './swap-journal.ts';
import type { TarProgram } from './tar-program.ts';

export interface SwapOrder {
  readonly placements: readonly Placement[];
  /** Whether what stands at a place is replaced. */
  readonly replaces: boolean;
  /** Metadata of folders as they were before anything was made in them. */
  readonly before: readonly FolderArchive[];
  /** Names to extract into a staging folder; null for the whole archive. */
  namesFor(staging: Staging, isOnly: boolean): readonly ByteName[] | null;
  /** How what was built takes its place. Archives of folders lie in a staging folder. */
  plan(stagings: readonly Staging[]): Promise<SwapPlan>;
}

export type SwapPlan = Pick<SwapJournal, 'moves' | 'asideFolders' | 'folders' | 'kept'> & {
  readonly warnings: readonly string[];
};

/** Builds in staging folders, compares with the archive, swaps. On any failure or abort everything is as it was. */
export async function buildAndSwap(
  work: RestoreWork,
  order: SwapOrder,
  context: Context,
): Promise<{ readonly built: readonly Built[]; readonly plan: SwapPlan }> {
  const { tar, mounts, artifact, survey } = work;
  const { snapshot } = work.request;
  const { placements, replaces } = order;
  const stagings = await makeStagings(placements, { snapshot, mounts, tar, replaces }, context);
  let isOver = false;
  try {
    const built: Built[] = [];
    for (const staging of stagings.all) {
      const names = order.namesFor(staging, stagings.all.length === 1);
      built.push(await buildTree({ artifact, survey, names, tar }, staging, context));
    }
    const plan = await order.plan(stagings.all);
    const { moves, asideFolders, folders, kept } = plan;
    const folderNames = stagings.all.map(({ folder }) => folder);
    const journal: SwapJournal = {
      formatVersion: 1,
      snapshot,
      moves,
      asideFolders,
      folders,
      stagings: folderNames,
      kept,
    };
    await swap(journal, journalPaths(placements, stagings.all, snapshot), order.before, tar, context);
    isOver = true;
    await finishFolders(folders, () => stagings.finish(), tar, context);
    return { built, plan };
  } finally {
    if (!isOver) {
      await stagings.remove();
      if (!context.signal.aborted) for (const folders of order.before) await applyFolders(folders, tar, context);
    }
  }
}

/**
 * Removes what the swap was made from, and sets the metadata of folders once more: they may have lain in one of them,
 * and with it went the archive that says what it was.
 */
export async function finishFolders(
  folders: readonly FolderArchive[],
  removeStagings: () => Promise<void>,
  tar: TarProgram,
  context: Context,
): Promise<void> {
  const copies: FolderArchive[] = [];
  for (const { file, base } of folders) {
    if (kindAt(file) === 'absent') continue;
    const copy = fromText(join(context.workDir, `folders-${randomUUID()}.tar`));
    await copyFile(toBuffer(file), toBuffer(copy));
    copies.push({ file: copy, base });
  }
  await removeStagings();
  for (const copy of copies) await applyFolders(copy, tar, context);
}

/** Where the journals lie: for each captured path beside it, or in it where nothing can be written beside it. */
function journalPaths(placements: readonly Placement[], stagings: readonly Staging[], snapshot: string): JournalPaths {
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
