import { open, readFile, rename, rm } from 'node:fs/promises';
import type { Context } from '../../context.ts';
import { guardError, hasErrnoCode, reasonOf, targetError } from '../../errors.ts';
import { isTaken, isThere, moveIfThere, PARTS, removeDatabase, syncFolderOf } from './parts.ts';

/** One replacement under way: written, synced, beside the database before anything is built or moved. */
export interface SwapJournal {
  readonly formatVersion: 1;
  /** Where the new database is built. Once it is in place this name is gone: that is how a kill is judged. */
  readonly staged: string;
  /** Where the old one goes; its sidecars go to the same name with their suffix. */
  readonly old: string;
  readonly owner: { readonly host: string; readonly bootId: string; readonly pid: number };
}

const journalPath = (path: string): string => `${path}.bkp-restore.json`;

/** Opens a replacement: chooses names (the old state keeps the first free one) and writes the journal. */
export async function beginSwap(path: string, snapshot: string, context: Context): Promise<SwapJournal> {
  let old = `${path}.bkp-old-${snapshot}`;
  for (let number = 2; await isTaken(old); number += 1) old = `${path}.bkp-old-${snapshot}.${number}`;
  const { name, bootId, pid } = context.host;
  const owner = { host: name, bootId, pid };
  const journal: SwapJournal = { formatVersion: 1, staged: `${path}.bkp-new-${snapshot}`, old, owner };
  try {
    const handle = await open(journalPath(path), 'wx', 0o600);
    try {
      await handle.writeFile(`${JSON.stringify(journal)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await syncFolderOf(path);
  } catch (error) {
    if (hasErrnoCode(error, 'EEXIST')) throw guardError(`cannot restore ${path}: another restore is under way`);
    throw targetError(`cannot restore ${path}: ${reasonOf(error)}`, { cause: error });
  }
  return journal;
}

/** Moves the old database aside and the new one in its place; a kill in between is undone by `endSwap`. */
export async function swap(path: string, journal: SwapJournal): Promise<void> {
  // The database first: a log without it is noticed, a database without its log is not.
  for (const part of PARTS) await moveIfThere(`${path}${part}`, `${journal.old}${part}`);
  await syncFolderOf(path);
  await rename(journal.staged, path);
  await syncFolderOf(path);
}

/** Closes a replacement: unless the new database is in place, what was moved comes back and what was built goes. */
export async function endSwap(path: string, journal: SwapJournal): Promise<void> {
  if (await isThere(journal.staged)) {
    for (const part of PARTS) {
      if (!(await isThere(`${journal.old}${part}`))) continue;
      if (await isThere(`${path}${part}`)) throw ambiguousError(path, journal);
      await rename(`${journal.old}${part}`, `${path}${part}`);
    }
    await syncFolderOf(path);
    await removeDatabase(journal.staged);
  }
  await rm(journalPath(path), { force: true });
  await syncFolderOf(path);
}

/**
 * Finishes or undoes what a killed restore of this database left. Refuses while that restore is alive. Returns where the
 * old state is when it was finished and something had been set aside.
 */
export async function finishEarlierSwap(path: string, context: Context): Promise<string | undefined> {
  const journal = await readJournal(path);
  if (journal === undefined) return undefined;
  if (journal === 'unwritten') {
    await rm(journalPath(path), { force: true });
    return undefined;
  }
  const { host, bootId, pid } = journal.owner;
  const isHere = host === context.host.name && bootId === context.host.bootId;
  if (isHere && pid !== context.host.pid && context.host.isAlive(pid)) {
    throw guardError(`cannot restore ${path}: process ${pid} is restoring it`, { hint: 'wait until it has ended' });
  }
  const isFinished = !(await isThere(journal.staged));
  await endSwap(path, journal);
  return isFinished && (await isTaken(journal.old)) ? journal.old : undefined;
}

/** True when a killed restore left something to finish or undo. */
export const hasEarlierSwap = (path: string): Promise<boolean> => isThere(journalPath(path));

/** The journal is synced before anything is touched, so one that was never written whole means that nothing was. */
async function readJournal(path: string): Promise<SwapJournal | 'unwritten' | undefined> {
  let text: string;
  try {
    text = await readFile(journalPath(path), 'utf8');
  } catch (error) {
    if (hasErrnoCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
  if (!text.endsWith('\n')) return 'unwritten';
  const journal = JSON.parse(text) as SwapJournal;
  const isOurs = [journal.staged, journal.old].every((name) => name.startsWith(`${path}.bkp-`));
  if (journal.formatVersion === 1 && isOurs) return journal;
  throw targetError(`cannot restore ${path}: ${journalPath(path)} was not made for it`, {
    hint: 'it belongs to another bkp or was moved; put the database in place by hand and remove it',
  });
}

function ambiguousError(path: string, journal: SwapJournal): Error {
  return targetError(`cannot restore ${path}: a restore was killed half-way and a new file stands there now`, {
    hint: `the old database is ${journal.old}, the restored one ${journal.staged}; move one of them to ${path}, then remove ${journalPath(path)}`,
  });
}
