import { accessSync, constants, lstatSync, mkdirSync, rmdirSync, type Stats, statfsSync, utimesSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../../context.ts';
import { hasErrnoCode, reasonOf, targetError, toolError } from '../../errors.ts';
import { removeAbandoned, signStaging } from './abandoned.ts';
import { type ByteName, folderOf, joinNames, quoteName, toBuffer } from './byte-name.ts';
import type { Mounts } from './mounts.ts';
import { ownPath } from './own-names.ts';
import { kindAt, type Placement } from './placement.ts';
import { removeTree } from './remove-tree.ts';
import { toolPath } from './tool-path.ts';
import type { TarProgram } from './tar-program.ts';

/** A private folder on the file system of what it is for, where a tree is built before it takes its place. */
export interface Staging {
  readonly folder: ByteName;
  /** Below it the archive is extracted: `<tree>/<name in the archive>`. */
  readonly tree: ByteName;
  readonly placements: readonly Placement[];
}

export interface Stagings {
  readonly all: readonly Staging[];
  /** Removes them, and folders on the way that were made for them and are still empty. Safe at any time. */
  remove(): Promise<void>;
  /** Removes them and keeps the folders on the way. */
  finish(): Promise<void>;
}

export interface StagingOptions {
  readonly snapshot: string;
  readonly mounts: Mounts;
  readonly tar: TarProgram;
  /** Whether what stands at a place is replaced, so that a mount point is gone through from the inside. */
  readonly replaces: boolean;
}

/** Makes one staging folder for each file system that the placements lie on. */
export async function makeStagings(
  placements: readonly Placement[],
  options: StagingOptions,
  context: Context,
): Promise<Stagings> {
  const made: ByteName[] = [];
  const homes: { readonly folder: ByteName; readonly stats: Stats }[] = [];
  const groups = new Map<string, { readonly folder: ByteName; readonly placements: Placement[] }>();
  const removeFolders = async (): Promise<void> => {
    for (const { folder } of groups.values()) await removeTree(folder);
  };
  const remove = async (): Promise<void> => {
    await removeFolders();
    for (const folder of made.toReversed()) removeIfEmpty(folder);
    for (const { folder, stats } of homes) resetTimes(folder, stats);
  };
  try {
    for (const placement of placements) {
      makeFolders(folderOf(placement.place), made);
      const domain = renameDomain(targetFolder(placement, options), options.mounts);
      const group = groups.get(domain);
      if (group !== undefined) {
        group.placements.push(placement);
        continue;
      }
      const home = chooseHome(placement, domain, options);
      const { place, rootPlace } = placement;
      if (home === rootPlace) homes.push({ folder: home, stats: lstatSync(toBuffer(home)) });
      const isBesideRoot = home === rootPlace || home === folderOf(rootPlace);
      const folder = ownPath(home, isBesideRoot ? rootPlace : place, 'new', options.snapshot);
      await makeStaging(folder, context);
      groups.set(domain, { folder, placements: [placement] });
      await makeTree(folder, options.tar, context);
    }
  } catch (error) {
    await remove();
    throw error;
  }
  const all = [...groups.values()].map((group) => ({ ...group, tree: joinNames(group.folder, 'tree') }));
  return { all, remove, finish: removeFolders };
}

/** True where a folder must be filled from the inside: it cannot be renamed, or something that is mounted would go along. */
export function isFilledInside(place: ByteName, mounts: Mounts): boolean {
  if (kindAt(place) !== 'folder') return false;
  return mounts.isMountPoint(place) || mounts.hasMountBelow(place) || !isWritable(folderOf(place));
}

/** Throws `target` unless a file system has room for so many bytes. */
export function requireSpace(staging: Staging, bytes: number, asRoot: boolean): void {
  const stats = statfsSync(toBuffer(staging.folder), { bigint: true });
  const free = (asRoot ? stats.bfree : stats.bavail) * stats.bsize;
  if (free >= BigInt(bytes)) return;
  throw targetError(
    `cannot restore into ${quoteName(folderOf(staging.folder))}: ${bytes} bytes are needed, ${free} are free`,
    { hint: 'make room, or restore elsewhere with `--into root=…`; the old state stays until the new one is whole' },
  );
}

export function isWritable(folder: ByteName): boolean {
  try {
    accessSync(toBuffer(folder), constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The folder that things will be renamed into. */
const targetFolder = ({ place }: Placement, { mounts, replaces }: StagingOptions): ByteName =>
  place === '/' || (replaces && isFilledInside(place, mounts)) ? place : folderOf(place);

/** Renames work between two folders of the same domain. */
function renameDomain(folder: ByteName, mounts: Mounts): string {
  return `${mounts.mountOf(folder)} ${lstatSync(toBuffer(folder)).dev}`;
}

/** Beside the captured path where that is possible, else in it, else beside the place itself. */
function chooseHome(placement: Placement, domain: string, options: StagingOptions): ByteName {
  const { rootPlace } = placement;
  const candidates = [folderOf(rootPlace), rootPlace, targetFolder(placement, options)];
  const home = candidates.find(
    (folder) =>
      folder !== '' &&
      kindAt(folder) === 'folder' &&
      renameDomain(folder, options.mounts) === domain &&
      isWritable(folder),
  );
  if (home !== undefined) return home;
  throw targetError(`cannot restore into ${quoteName(candidates[2] as ByteName)}: it is not writable`, {
    hint: 'run bkp as a user who may write there, or restore elsewhere with `--into root=…`',
  });
}

function makeFolders(folder: ByteName, made: ByteName[]): void {
  if (folder === '' || kindAt(folder) !== 'absent') return;
  makeFolders(folderOf(folder), made);
  try {
    mkdirSync(toBuffer(folder), 0o755);
  } catch (error) {
    throw targetError(`cannot make folder ${quoteName(folder)}: ${reasonOf(error)}`, { cause: error });
  }
  made.push(folder);
}

async function makeStaging(folder: ByteName, context: Context): Promise<void> {
  try {
    mkdirSync(toBuffer(folder), 0o700);
  } catch (error) {
    if (!hasErrnoCode(error, 'EEXIST')) {
      throw targetError(`cannot make folder ${quoteName(folder)}: ${reasonOf(error)}`, { cause: error });
    }
    if (!(await removeAbandoned(folder, context))) {
      throw targetError(`cannot restore: ${quoteName(folder)} is there already, and not a folder of this user alone`, {
        hint: 'look who made it, then remove it',
      });
    }
    mkdirSync(toBuffer(folder), 0o700);
  }
  try {
    signStaging(folder, context);
  } catch (error) {
    await removeTree(folder);
    throw targetError(`cannot write to ${quoteName(folder)}: ${reasonOf(error)}`, { cause: error });
  }
}

/** Folders inherit default ACLs from the folder they are made in; what is extracted must not. tar itself takes them off. */
async function makeTree(folder: ByteName, tar: TarProgram, context: Context): Promise<void> {
  const tree = joinNames(folder, 'tree');
  mkdirSync(toBuffer(tree), 0o700);
  if (tar.flavour === 'bsd') return;
  const blank = join(context.workDir, 'blank');
  await mkdir(join(blank, 'tree'), { recursive: true, mode: 0o700 });
  const run = async (...argv: readonly string[]): Promise<void> => {
    const { exitCode, stderr } = await context.run({ argv: ['tar', ...argv] });
    if (exitCode !== 0) throw toolError(`cannot prepare ${quoteName(tree)}: ${stderr}`);
  };
  await run('--create', `--file=${blank}.tar`, '--directory', blank, '--acls', 'tree');
  await run(
    '--extract',
    `--file=${blank}.tar`,
    '--directory',
    toolPath(folder),
    '--acls',
    '--preserve-permissions',
    'tree',
  );
}

/** To the microsecond, and only where this user may: a failed restore leaves no trace in a captured folder. */
function resetTimes(folder: ByteName, stats: Stats): void {
  try {
    utimesSync(toBuffer(folder), stats.atimeMs / 1000, stats.mtimeMs / 1000);
  } catch (error) {
    if (!hasErrnoCode(error, 'EPERM', 'EACCES', 'ENOENT')) throw error;
  }
}

function removeIfEmpty(folder: ByteName): void {
  try {
    rmdirSync(toBuffer(folder));
  } catch (error) {
    if (!hasErrnoCode(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT')) throw error;
  }
}
