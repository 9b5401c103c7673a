import type { TargetOf } from '../engine.ts';
import { type ByteName, quoteName } from './byte-name.ts';
import { isBelow, memberName } from './capture-roots.ts';
import { compileGlobs } from './glob.ts';
import { type Met, walkTree } from './walk.ts';

export interface SelectOptions {
  /** The work folder of this run, absolute: never captured. */
  readonly workDir: ByteName;
  readonly signal: AbortSignal;
}

/** What a selection found out beside its members. */
export interface SelectionNotes {
  readonly notes: readonly string[];
  /** False when `onMember` ended it. */
  readonly isComplete: boolean;
}

/**
 * Tells every member of a capture in the order of the archive: what `include` asks for with the folders that lead there
 * (a folder that matches comes with all that is in it) and what `exclude` leaves. A path that lies in another one is
 * captured by its own. Sockets cannot be archived and become notes. `onMember` answers false to end it.
 */
export async function selectMembers(
  target: TargetOf<'files'>,
  roots: readonly ByteName[],
  options: SelectOptions,
  onMember: (met: Met) => boolean,
): Promise<SelectionNotes> {
  const included = target.include === undefined ? null : compileGlobs(target.include);
  const excluded = compileGlobs(target.exclude ?? []);
  const notes: string[] = [];
  for (const root of roots) {
    const skip = new Set([...roots.filter((other) => isBelow(other, root)), options.workDir].map(memberName));
    /** Folders on the way to what is looked at, and whether they were told. */
    const way: { readonly met: Met; told: boolean }[] = [];
    let wholeFolder: ByteName | null = null;
    let matches = 0;

    const tell = (met: Met): boolean => {
      for (const folder of way) {
        if (folder.told) continue;
        folder.told = true;
        if (!onMember(folder.met)) return false;
      }
      return onMember(met);
    };
    const isComplete = await walkTree(
      memberName(root),
      { base: '/', oneFileSystem: target.oneFileSystem ?? false, skip, signal: options.signal },
      (met) => {
        while (way.length > 0 && !isWithin(met, (way.at(-1) as { met: Met }).met)) way.pop();
        if (met.relative === '') {
          if (!met.isFolder) matches++;
          return onMember(met) ? 'enter' : 'stop';
        }
        if (excluded.matches(met.relative, met.isFolder)) return 'pass';
        if (met.isSocket) {
          notes.push(`${quoteName(`/${met.name}`)} is a socket: sockets cannot be archived`);
          return 'pass';
        }
        if (wholeFolder !== null && !met.relative.startsWith(`${wholeFolder}/`)) wholeFolder = null;
        if (included !== null && wholeFolder === null) {
          const isMatch = included.matches(met.relative, met.isFolder);
          if (!isMatch && met.isFolder) {
            if (!included.leadsTo(met.relative)) return 'pass';
            way.push({ met, told: false });
            return 'enter';
          }
          if (!isMatch) return 'pass';
          if (met.isFolder) wholeFolder = met.relative;
        }
        matches++;
        return tell(met) ? 'enter' : 'stop';
      },
    );
    if (!isComplete) return { notes, isComplete };
    if (included !== null && matches === 0) notes.push(`nothing in ${quoteName(root)} matches \`include\``);
  }
  return { notes, isComplete: true };
}

const isWithin = (met: Met, folder: Met): boolean => met.relative.startsWith(`${folder.relative}/`);
