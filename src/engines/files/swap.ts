import { chmodSync, lstatSync, mkdirSync, renameSync, rmdirSync } from 'node:fs';
import type { Context } from '../../context.ts';
import { hasErrnoCode, reasonOf, targetError, throwIfAborted } from '../../errors.ts';
import { type ByteName, folderOf, quoteName, toBuffer } from './byte-name.ts';
import { applyFolders } from './folder-metadata.ts';
import { kindAt } from './placement.ts';
import {
  type FolderArchive,
  type JournalPaths,
  type Move,
  removeJournal,
  type SwapJournal,
  writeJournal,
} from './swap-journal.ts';
import { syncFolders } from './sync-disk.ts';
import type { TarProgram } from './tar-program.ts';

/**
 * Lets what was built take its place. Either all of it does, or everything is as before and the reason is thrown; a kill
 * at any moment leaves a journal from which `finishSwap` goes on. `before` is the metadata of folders for an undo.
 */
export async function swap(
  journal: SwapJournal,
  paths: JournalPaths,
  before: readonly FolderArchive[],
  tar: TarProgram,
  context: Context,
): Promise<void> {
  throwIfAborted(context.signal);
  const done: Move[] = [];
  try {
    writeJournal(paths, journal);
    makeAsideFolders(journal);
    for (const move of journal.moves) {
      makeMove(move);
      done.push(move);
    }
    for (const folders of journal.folders) await applyFolders(folders, tar, context);
    await syncPlaces(journal, context);
  } catch (error) {
    try {
      for (const move of done.toReversed()) takeBack(move);
      for (const folder of journal.asideFolders) if (kindAt(folder) === 'folder') rmdirSync(toBuffer(folder));
      if (!context.signal.aborted) for (const folders of before) await applyFolders(folders, tar, context);
      removeJournal(paths);
    } catch (second) {
      throw targetError(`cannot finish or undo the restore: ${reasonOf(second)}`, {
        hint: `the journal ${quoteName(paths[0])} says what is where; the next restore or backup of it goes on from there`,
        cause: error,
      });
    }
    throw error;
  }
  removeJournal(paths);
}

/** Goes on where a killed swap stopped. What was built and is not in its place yet takes it; nothing is thrown away. */
export async function finishSwap(
  { path, journal }: { readonly path: ByteName; readonly journal: SwapJournal },
  tar: TarProgram,
  context: Context,
): Promise<void> {
  makeAsideFolders(journal);
  for (const move of journal.moves) finishMove(move, path);
  for (const folders of journal.folders) {
    if (kindAt(folders.file) !== 'absent') await applyFolders(folders, tar, context);
  }
  await syncPlaces(journal, context);
  removeJournal([path]);
}

function makeMove({ staged, place, aside }: Move): void {
  const setAside = aside !== null && kindAt(place) !== 'absent';
  if (setAside) renameEntry(place, aside);
  if (staged === null) return;
  try {
    if (kindAt(place) !== 'absent')
      throw targetError(`cannot restore ${quoteName(place)}: it came into being meanwhile`);
    renameEntry(staged, place);
  } catch (error) {
    if (setAside) renameEntry(aside, place);
    throw error;
  }
}

function takeBack({ staged, place, aside }: Move): void {
  if (staged !== null) renameEntry(place, staged);
  if (aside !== null && kindAt(aside) !== 'absent') renameEntry(aside, place);
}

function finishMove(move: Move, journal: ByteName): void {
  const { staged, place, aside } = move;
  const isPlaced = staged === null || kindAt(staged) === 'absent';
  const isSetAside = aside === null || kindAt(aside) !== 'absent';
  if (isPlaced && (staged !== null || isSetAside)) return;
  if (staged !== null && isSetAside && kindAt(place) !== 'absent') {
    throw targetError(`cannot finish the interrupted restore of ${quoteName(place)}: something new stands there`, {
      hint: `the restored one is ${quoteName(staged)}${aside === null ? '' : `, the old one ${quoteName(aside)}`}; put the right one there, then remove ${quoteName(journal)}`,
    });
  }
  makeMove(move);
}

/** A rename for somebody who may lack the right to write into the folder that moves, as its owner. */
function renameEntry(from: ByteName, to: ByteName): void {
  try {
    renameSync(toBuffer(from), toBuffer(to));
  } catch (error) {
    if (!hasErrnoCode(error, 'EACCES') || kindAt(from) !== 'folder') throw cannotRename(from, to, error);
    const mode = lstatSync(toBuffer(from)).mode & 0o7777;
    try {
      chmodSync(toBuffer(from), mode | 0o700);
      renameSync(toBuffer(from), toBuffer(to));
      chmodSync(toBuffer(to), mode);
    } catch (second) {
      if (kindAt(from) === 'folder') chmodSync(toBuffer(from), mode);
      throw cannotRename(from, to, second);
    }
  }
}

const cannotRename = (from: ByteName, to: ByteName, error: unknown): Error =>
  targetError(`cannot rename ${quoteName(from)} to ${quoteName(to)}: ${reasonOf(error)}`, { cause: error });

function makeAsideFolders(journal: SwapJournal): void {
  for (const folder of journal.asideFolders) {
    if (kindAt(folder) === 'absent') mkdirSync(toBuffer(folder), 0o700);
  }
}

const syncPlaces = ({ moves, stagings }: SwapJournal, context: Context): Promise<void> =>
  syncFolders(new Set(moves.map(({ place }) => folderOf(place))), stagings, context);
