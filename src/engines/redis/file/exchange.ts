import { lstat, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { APPEND_FOLDER, type DataFolder, DUMP } from './data-folder.ts';

const STAGED = /\.bkp-new-\d{8}T\d{6}Z-[a-z0-9]+$/;

interface Move {
  readonly from: string;
  readonly to: string;
}

/**
 * Moves what is there aside and what was built to its place. All of it or nothing; returns the names of what was set
 * aside.
 */
export async function exchange(
  folder: DataFolder,
  built: readonly { readonly staged: string; readonly place: string }[],
  snapshot: string,
  assertWanted: () => void,
): Promise<readonly string[]> {
  const asides: Move[] = [];
  for (const name of folder.there) {
    const from = join(folder.path, name);
    asides.push({ from, to: await freeName(`${from}.bkp-old-${snapshot}`) });
  }
  const done: Move[] = [];
  try {
    assertWanted();
    for (const move of [...asides, ...built.map(({ staged, place }) => ({ from: staged, to: place }))]) {
      await rename(move.from, move.to);
      done.push(move);
    }
    await syncFolder(folder.path);
  } catch (error) {
    for (const { from, to } of done.toReversed()) await rename(to, from);
    await removeStaged(folder.path);
    throw error;
  }
  return asides.map(({ to }) => to);
}

/**
 * Undoes an exchange that was killed before it was done, which its last step tells: the dump takes its place then. Append-only
 * files are those of the killed one when their base is its dump.
 */
export async function undoKilledExchange(path: string): Promise<void> {
  const names = await readdir(path);
  const staged = names.find((name) => name.startsWith(`${DUMP}.bkp-new-`));
  if (staged !== undefined) {
    const { ino } = await stat(join(path, staged));
    const append = join(path, APPEND_FOLDER);
    const bases = await readdir(append).catch(() => []);
    const inodes = await Promise.all(bases.map(async (name) => (await stat(join(append, name))).ino));
    if (inodes.includes(ino)) await rm(append, { recursive: true });
    const snapshot = staged.slice(`${DUMP}.bkp-new-`.length);
    for (const name of names) {
      const [place, old] = name.split('.bkp-old-');
      if (place === undefined || old !== snapshot || (await isThere(join(path, place)))) continue;
      await rename(join(path, name), join(path, place));
    }
  }
  await removeStaged(path);
}

/** Removes what a restore was building when it ended. */
export async function removeStaged(path: string): Promise<void> {
  for (const name of await readdir(path))
    if (STAGED.test(name)) await rm(join(path, name), { recursive: true, force: true });
}

async function freeName(wanted: string): Promise<string> {
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? wanted : `${wanted}.${number}`;
    if (!(await isThere(name))) return name;
  }
}

/** True for whatever has the name. */
export const isThere = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  );

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
