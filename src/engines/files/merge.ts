import { lstatSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../../context.ts';
import { targetError } from '../../errors.ts';
import type { RestoreOutcome } from '../engine.ts';
import { buildAndSwap } from './build-and-swap.ts';
import { type ByteName, folderOf, fromText, joinNames, toBuffer } from './byte-name.ts';
import { findMissing } from './find-missing.ts';
import { saveFolders } from './folder-metadata.ts';
import { kindAt, type Placement } from './placement.ts';
import type { RestoreWork } from './restore-work.ts';
import type { FolderArchive } from './swap-journal.ts';
import type { TarProgram } from './tar-program.ts';

/** tar compares every entry with every listed name: with more names than this the whole archive is extracted instead. */
const MOST_LISTED_UNITS = 500;
const MOST_TOLD_CONFLICTS = 3;

/** Brings back what is missing. What is there stays untouched, its times and modes included. */
export async function mergeTree(work: RestoreWork, context: Context): Promise<RestoreOutcome> {
  const { tar, survey, request, base, chosen } = work;
  const { units, entries, conflicts } = await findMissing(survey.listFile, survey.roots, base, context);
  if (conflicts.length > 0 && !request.skipConflicts) {
    const told = conflicts.slice(0, MOST_TOLD_CONFLICTS).join('; ');
    throw targetError(`cannot merge: ${told}${conflicts.length > MOST_TOLD_CONFLICTS ? '; …' : ''}`, {
      hint: 'nothing was changed; `--skip-conflicts` restores the rest',
    });
  }
  const outcome = { facts: null, keptOld: [], conflicts, restored: { entries } };
  if (units.length === 0) return { ...outcome, warnings: [] };

  const before = await saveParents(units, tar, context);
  const { built } = await buildAndSwap(
    work,
    {
      placements: units,
      replaces: false,
      before,
      namesFor: ({ placements }) =>
        placements.length <= MOST_LISTED_UNITS ? placements.map(({ unit }) => unit) : chosen,
      async plan(stagings) {
        const folders: FolderArchive[] = [];
        for (const archive of before) {
          const file = joinNames(stagings[0]?.folder ?? '', 'folders.tar');
          await copyFile(toBuffer(archive.file), toBuffer(file));
          folders.push({ ...archive, file });
        }
        const moves = stagings.flatMap(({ tree, placements }) =>
          placements.map(({ unit, place }) => ({ staged: joinNames(tree, unit), place, aside: null })),
        );
        return { moves, folders, asideFolders: [], kept: [], warnings: [] };
      },
    },
    context,
  );
  return { ...outcome, warnings: built.flatMap((one) => one.warnings) };
}

/** Folders that get something new keep their times: kept before anything is written, where this user may set them. */
async function saveParents(
  units: readonly Placement[],
  tar: TarProgram,
  context: Context,
): Promise<readonly FolderArchive[]> {
  const { uid } = context.host;
  const isOurs = (folder: ByteName): boolean =>
    folder !== '' && kindAt(folder) === 'folder' && (uid === 0 || lstatSync(toBuffer(folder)).uid === uid);
  const parents = new Set<ByteName>();
  for (const { place, rootPlace } of units) {
    // The folder that a captured path lies in was not captured itself.
    if (place !== rootPlace) parents.add(folderOf(place)).add(rootPlace);
  }
  const names = [...parents].filter(isOurs).map((folder) => folder.slice(1) || '.');
  if (names.length === 0) return [];
  const file = fromText(join(context.workDir, 'folders-before.tar'));
  await saveFolders({ base: '/', names }, file, tar, context);
  return [{ file, base: '/' }];
}
