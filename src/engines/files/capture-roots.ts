import { resolve } from 'node:path';
import { targetError } from '../../errors.ts';
import type { TargetOf } from '../engine.ts';
import { type ByteName, fromText, quoteName } from './byte-name.ts';
import { isInsideOwn } from './own-names.ts';
import { statOrNull } from './walk.ts';

/** The paths of a target as absolute names, sorted, each once. */
export const rootPaths = (target: TargetOf<'files'>): readonly ByteName[] =>
  [...new Set(target.paths.map((path) => fromText(resolve('/', path))))].toSorted();

/** The name that a path has in an archive: relative to `/`, which itself is `.`. */
export const memberName = (path: ByteName): ByteName => (path === '/' ? '.' : path.slice(1));

/** True for what lies below a folder, at any depth. */
export const isBelow = (path: ByteName, folder: ByteName): boolean =>
  path !== folder && path.startsWith(folder.endsWith('/') ? folder : `${folder}/`);

export interface FoundRoots {
  readonly paths: readonly ByteName[];
  /** Findings for the manifest. */
  readonly notes: readonly string[];
}

/** Looks at the paths of a target. Throws `target` for one that is missing or cannot be captured. */
export function findRoots(target: TargetOf<'files'>): FoundRoots {
  const paths = rootPaths(target);
  const notes: string[] = [];
  for (const path of paths) {
    if (isInsideOwn(path)) {
      throw targetError(`cannot capture ${quoteName(path)}: it is what a restore set aside or left half-made`, {
        hint: 'name the restored path instead',
      });
    }
    const stats = statOrNull(path);
    if (stats === null) {
      throw targetError(`cannot capture ${quoteName(path)}: it does not exist`, {
        hint: 'check the path in the policy, and whether its file system is mounted',
      });
    }
    if (!stats.isSymbolicLink()) continue;
    const below = paths.find((other) => isBelow(other, path));
    if (below !== undefined) {
      throw targetError(
        `cannot capture ${quoteName(below)}: ${quoteName(path)} is a symbolic link and captured as one`,
        {
          hint: 'name the folder that the link points to',
        },
      );
    }
    notes.push(`${quoteName(path)} is a symbolic link: the link was captured, not what it points to`);
  }
  return { paths, notes };
}

/** The paths that lie in no other path of the same list. */
export const topmost = (paths: readonly ByteName[]): readonly ByteName[] =>
  paths.filter((path) => !paths.some((other) => isBelow(path, other)));
