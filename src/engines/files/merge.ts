import { lstatSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../../context.ts';
import { targetError } from '../../errors.ts';
import type { RestoreOutcome } from '../engine.ts';
import { buildTree, type Built } from './build.ts';
import { folderOf, fromText, joinNames, toBuffer } from './byte-name.ts';
import { findMissing } from './find-missing.ts';
import { saveFolders } from './folder-metadata.ts';
import { kindAt, type Placement } from './placement.ts';
import { journalPaths } from './put-in-place.ts';
import type { RestoreWork } from './restore-work.ts';
import { makeStagings } from './staging.ts';
import { swap } from './swap.ts';
import type { FolderArchive, SwapJournal } from './swap-journal.ts';
import type { TarProgram } from './tar-program.ts';

/** tar compares every entry with every listed name: with more names than this the whole archive is extracted instead. */
const MOST_LISTED_UNITS = 500;

/** Brings back what is missing. What is there stays untouched, its times and modes included. */
export async function mergeTree(work: RestoreWork, context: Context): Promise<RestoreOutcome> {
  const { tar, mounts, survey, request, base, chosen } = work;
  const missing = await findMissing(survey.listFile, survey.roots, base, context);
  if (missing.conflicts.length > 0 && !request.skipConflicts) {
    throw targetError(
      `cannot merge: ${missing.conflicts.slice(0, 3).join('; ')}${missing.conflicts.length > 3 ? '; …' : ''}`,
      {
        hint: 'nothing was changed; `--skip-conflicts` restores the rest',
      },
    );
  }
  const outcome = { facts: null, keptOld: [], conflicts: missing.conflicts, restored: { entries: missing.entries } };
  if (missing.units.length === 0) return { ...outcome, warnings: [] };

  const before = await saveParents(missing.units, tar, context);
  const options = { snapshot: request.snapshot, mounts, tar, replaces: false };
  const stagings = await makeStagings(missing.units, options, context);
  let isOver = false;
  try {
    const built: Built[] = [];
    for (const staging of stagings.all) {
      const isFew = staging.placements.length <= MOST_LISTED_UNITS;
      const names = isFew ? staging.placements.map(({ unit }) => unit) : chosen;
      built.push(await buildTree({ artifact: work.artifact, survey, names, tar }, staging, context));
    }
    const [first] = stagings.all;
    const folders: FolderArchive[] = [];
    if (before !== null && first !== undefined) {
      const file = joinNames(first.folder, 'folders.tar');
      await copyFile(toBuffer(before.file), toBuffer(file));
      folders.push({ file, base: '/' });
    }
    const journal: SwapJournal = {
      formatVersion: 1,
      snapshot: request.snapshot,
      moves: stagings.all.flatMap(({ tree, placements }) =>
        placements.map(({ unit, place }) => ({ staged: joinNames(tree, unit), place, aside: null })),
      ),
      asideFolders: [],
      folders,
      stagings: stagings.all.map(({ folder }) => folder),
      kept: [],
    };
    const paths = journalPaths(missing.units, stagings.all, request.snapshot);
    await swap(journal, paths, before === null ? [] : [before], tar, context);
    isOver = true;
    return { ...outcome, warnings: built.flatMap((one) => one.warnings) };
  } finally {
    await (isOver ? stagings.finish() : stagings.remove());
  }
}

/** Folders that get something new keep their times: they are kept before anything is written, where this user may set them. */
async function saveParents(
  units: readonly Placement[],
  tar: TarProgram,
  context: Context,
): Promise<FolderArchive | null> {
  const { uid } = context.host;
  const isOurs = (folder: string): boolean =>
    folder !== '' && kindAt(folder) === 'folder' && (uid === 0 || lstatSync(toBuffer(folder)).uid === uid);
  const parents = new Set<string>();
  for (const { place, rootPlace } of units) {
    // The folder that a captured path lies in was not captured itself.
    if (place !== rootPlace) parents.add(folderOf(place)).add(rootPlace);
  }
  const names = [...parents].filter(isOurs).map((folder) => folder.slice(1) || '.');
  if (names.length === 0) return null;
  const file = fromText(join(context.workDir, 'folders-before.tar'));
  await saveFolders({ base: '/', names }, file, tar, context);
  return { file, base: '/' };
}
