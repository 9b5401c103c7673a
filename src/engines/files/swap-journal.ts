import { closeSync, fsyncSync, lstatSync, openSync, readdirSync, readFileSync, unlinkSync, writeSync } from 'node:fs';
import type { Context } from '../../context.ts';
import { hasErrnoCode, targetError } from '../../errors.ts';
import { type ByteName, folderOf, joinNames, lastPart, toBuffer } from './byte-name.ts';
import { isOwnName, ownPath } from './own-names.ts';
import { syncFolder } from './sync-disk.ts';

/** One thing that takes its place: what stands there is set aside first. All paths are real and absolute. */
export interface Move {
  /** What was built; null where something is only set aside. */
  readonly staged: ByteName | null;
  readonly place: ByteName;
  /** Where the old one goes; null where nothing is expected. */
  readonly aside: ByteName | null;
}

/** An archive with the metadata of folders, to be extracted over them. */
export interface FolderArchive {
  readonly file: ByteName;
  readonly base: ByteName;
}

/** What a swap is about to do, on disk before it begins, so that it can be finished after a kill. */
export interface SwapJournal {
  readonly formatVersion: 1;
  readonly snapshot: string;
  readonly moves: readonly Move[];
  /** Folders that old things go into. */
  readonly asideFolders: readonly ByteName[];
  readonly folders: readonly FolderArchive[];
  /** Staging folders, removed at the end. */
  readonly stagings: readonly ByteName[];
  /** What stays set aside. */
  readonly kept: readonly ByteName[];
}

/** Where the journal of a swap lies: the first is the journal itself, the others point to it. */
export type JournalPaths = readonly [ByteName, ...ByteName[]];

export const journalPath = (home: ByteName, rootPlace: ByteName, snapshot: string): ByteName =>
  ownPath(home, rootPlace, 'swap', snapshot);

/** Writes a journal durably; once its first file is there, the swap counts as begun. */
export function writeJournal([primary, ...others]: JournalPaths, journal: SwapJournal): void {
  for (const path of others) writeDurably(path, JSON.stringify({ formatVersion: 1, journal: primary }));
  writeDurably(primary, JSON.stringify(journal));
}

/** Takes a journal away; once its first file has gone, the swap counts as over. */
export function removeJournal(paths: JournalPaths): void {
  for (const path of paths) {
    removeFile(path);
    syncFolder(folderOf(path));
  }
}

export interface FoundJournal {
  readonly path: ByteName;
  readonly journal: SwapJournal;
}

/** The journals that lie beside a place or in it, and what is left of those that never began or are over. */
export function findJournals(
  rootPlace: ByteName,
  context: Context,
): { readonly found: readonly FoundJournal[]; readonly stale: readonly ByteName[] } {
  const found: FoundJournal[] = [];
  const stale: ByteName[] = [];
  for (const path of ownThings(rootPlace, 'swap')) {
    const text = readOwn(path, context);
    if (text === null) continue;
    const content = parseJournal(text);
    const target = content !== null && 'journal' in content ? content.journal : path;
    const primary = target === path ? text : isOwnName(lastPart(target)) ? readOwn(target, context) : null;
    const journal = primary === null ? null : parseJournal(primary);
    // A swap whose journal is not whole has not begun; a pointer to none points to one that is over.
    if (journal === null || 'journal' in journal) stale.push(path);
    else found.push({ path: target, journal });
  }
  return { found, stale };
}

function parseJournal(text: string): SwapJournal | { readonly journal: ByteName } | null {
  let content: { readonly formatVersion?: unknown };
  try {
    content = JSON.parse(text) as typeof content;
  } catch {
    return null;
  }
  if (content.formatVersion === 1) return content as SwapJournal | { readonly journal: ByteName };
  throw targetError('cannot finish an interrupted restore: a newer bkp began it', { hint: 'finish it with that bkp' });
}

/** Things of one kind that bkp made for a place, beside it or in it. */
export function ownThings(rootPlace: ByteName, kind: 'new' | 'swap'): readonly ByteName[] {
  return [...new Set([folderOf(rootPlace), rootPlace])]
    .filter((folder) => folder !== '')
    .flatMap((folder) => {
      const prefix = lastPart(ownPath(folder, rootPlace, kind, ''));
      return listNames(folder)
        .filter((name) => name.startsWith(prefix) && isOwnName(name))
        .map((name) => joinNames(folder, name));
    });
}

/** A file is believed only where nobody else could have written it. */
function readOwn(path: ByteName, context: Context): string | null {
  const stats = lstatSync(toBuffer(path), { throwIfNoEntry: false });
  if (stats === undefined || !stats.isFile() || stats.uid !== context.host.uid || (stats.mode & 0o077) !== 0)
    return null;
  return readFileSync(toBuffer(path), 'utf8');
}

function writeDurably(path: ByteName, text: string): void {
  const file = openSync(toBuffer(path), 'wx', 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  syncFolder(folderOf(path));
}

/** Removes a file; one that has gone is fine. */
export function removeFile(path: ByteName): void {
  try {
    unlinkSync(toBuffer(path));
  } catch (error) {
    if (!hasErrnoCode(error, 'ENOENT')) throw error;
  }
}

function listNames(folder: ByteName): readonly ByteName[] {
  try {
    return readdirSync(toBuffer(folder), { encoding: 'buffer' }).map((name) => name.toString('latin1'));
  } catch (error) {
    if (hasErrnoCode(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return [];
    throw error;
  }
}
