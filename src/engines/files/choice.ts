import { usageError } from '../../errors.ts';
import { type ByteName, canonicalName, folderOf, fromText, quoteName } from './byte-name.ts';

/** Some names of an archive, each with all that lies below it. */
export interface Choice {
  readonly names: readonly ByteName[];
  /** The chosen name that covers an entry, or null. */
  coverOf(name: ByteName): ByteName | null;
}

export function createChoice(names: Iterable<ByteName>): Choice {
  const chosen = new Set(names);
  const everything = chosen.has('.');
  let lastFolder: ByteName = '';
  let lastCover: ByteName | null = null;
  const coverOfFolder = (folder: ByteName): ByteName | null => {
    if (folder === '') return null;
    if (folder === lastFolder) return lastCover;
    const cover = coverOfFolder(folderOf(folder)) ?? (chosen.has(folder) ? folder : null);
    lastFolder = folder;
    lastCover = cover;
    return cover;
  };
  return {
    names: [...chosen],
    coverOf(name) {
      if (everything) return '.';
      return coverOfFolder(folderOf(name)) ?? (chosen.has(name) ? name : null);
    },
  };
}

/** Paths that a person chose (`/etc/app.conf` and `etc/app.conf` are the same) as names; what lies in another one goes. */
export function parseChosenPaths(paths: readonly string[]): readonly ByteName[] {
  const names = paths.map((path) => {
    const name = canonicalName(fromText(path).replace(/^\/+/, ''));
    if (name.split('/').includes('..')) {
      throw usageError(`cannot choose ${quoteName(fromText(path))}: a path inside a snapshot has no ".."`);
    }
    return name;
  });
  const all = createChoice(names);
  return [...new Set(names)].filter((name) => all.coverOf(name) === name).toSorted();
}
