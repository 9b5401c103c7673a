import { integrityError } from '../../errors.ts';
import { type ByteName, folderOf, quoteName } from './byte-name.ts';
import { createNameTable, NAME } from './name-table.ts';
import type { TarEntry } from './tar-entry.ts';

/** Looks at every entry before the first one is written; throws `integrity` for an archive that must not be extracted. */
export interface ArchiveRules {
  check(entry: TarEntry): void;
}

/**
 * Refuses names that leave the root, entries below anything but a folder (so nothing goes through a symlink), hard links
 * to anything but an earlier file of the archive, and names that stand twice. Where symlinks point is nobody's business:
 * they come back as they were.
 */
export function createArchiveRules(): ArchiveRules {
  const names = createNameTable();
  let checkedFolder: ByteName = '.';

  const checkFolder = (folder: ByteName, entry: TarEntry): void => {
    if (folder === '' || folder === checkedFolder) return;
    const kind = names.get(folder);
    if (kind === NAME.other || kind === NAME.link)
      throw hostile(entry.name, `it lies below ${quoteName(folder)}, which is not a folder`);
    if (kind === NAME.unknown) {
      checkFolder(folderOf(folder), entry);
      names.set(folder, NAME.impliedFolder);
    }
    checkedFolder = folder;
  };

  return {
    check(entry) {
      const { name, type } = entry;
      checkPath(name, name);
      checkFolder(folderOf(name), entry);
      const known = names.get(name);
      if (known !== NAME.unknown && !(known === NAME.impliedFolder && type === 'folder')) {
        throw hostile(name, 'it stands twice in the archive');
      }
      names.set(name, type === 'folder' ? NAME.folder : type === 'link' ? NAME.link : NAME.other);
      if (type !== 'link') return;
      checkPath(entry.target, name);
      if (entry.target === name || names.get(entry.target) !== NAME.other) {
        throw hostile(
          name,
          `it is a hard link to ${quoteName(entry.target)}, which is not an earlier file of the archive`,
        );
      }
    },
  };
}

function checkPath(path: ByteName, name: ByteName): void {
  if (path.startsWith('/')) throw hostile(name, 'its path is absolute');
  if (path.includes('..') && path.split('/').includes('..')) throw hostile(name, 'its path leaves the root');
}

const hostile = (name: ByteName, reason: string): Error =>
  integrityError(`cannot accept the archive: entry ${quoteName(name)} is refused: ${reason}`, {
    hint: 'nothing was written; an archive made by bkp or plain tar has no such entry',
  });
