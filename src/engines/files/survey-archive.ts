import type { IncomingArtifact } from '../engine.ts';
import { type ByteName, folderOf } from './byte-name.ts';
import type { Choice } from './choice.ts';
import { createNameList } from './name-list.ts';
import { createNameTable, NAME, type NameTable } from './name-table.ts';
import { readArchive } from './read-archive.ts';
import type { TarEntry } from './tar-entry.ts';
import type { TarHandler } from './tar-reader.ts';
import { createTreeCounter, type TreeCount } from './tree-counter.ts';
import { hasTextAclOnly } from './tree-digest.ts';

/** What a restore must know of an archive before it writes anything. */
export interface ArchiveSurvey {
  readonly whole: TreeCount;
  /** The chosen entries only; the same as `whole` without a choice. */
  readonly chosen: TreeCount;
  /** File with the names of the chosen entries in the order of the archive, each ended by a zero byte. */
  readonly listFile: string;
  /** Entries whose folder is not in the archive: what was captured. */
  readonly roots: readonly ByteName[];
  /** Hard links with the earlier entry that each one shares its bytes with. */
  readonly hardLinks: ReadonlyMap<ByteName, ByteName>;
  /** Names of the choice under which something was found. */
  readonly found: ReadonlySet<ByteName>;
  /** The first chosen device, which only root may make. */
  readonly device: ByteName | null;
  readonly traits: ArchiveTraits;
}

/** What decides how chosen entries are extracted and compared. */
export interface ArchiveTraits {
  readonly textAcls: boolean;
  /** Entries that their own owner may not read: somebody who is not root cannot compare them afterwards. */
  readonly unreadable: number;
}

/** Reads a whole archive without writing any of it; throws `integrity` for one that is damaged or hostile. */
export async function surveyArchive(
  artifact: IncomingArtifact,
  options: { readonly listFile: string; readonly choice: Choice | null },
): Promise<ArchiveSurvey> {
  const { choice, listFile } = options;
  const list = createNameList(listFile);
  const counter = choice === null ? null : createTreeCounter();
  const found = new Set<ByteName>();
  const hardLinks = new Map<ByteName, ByteName>();
  const roots = createRootFinder();
  const traits = { textAcls: false, unreadable: 0 };
  let device: ByteName | null = null;
  let isChosen = false;

  const observe: TarHandler = {
    begin(entry) {
      roots.add(entry);
      if (entry.type === 'link') hardLinks.set(entry.name, entry.target);
      const cover = choice === null ? '' : choice.coverOf(entry.name);
      isChosen = cover !== null;
      if (cover === null) return;
      if (cover !== '') found.add(cover);
      list.add(entry.name);
      if (entry.type === 'block' || entry.type === 'character') device ??= entry.name;
      traits.textAcls ||= hasTextAclOnly(entry);
      if (!isReadableByOwner(entry)) traits.unreadable++;
    },
    data(chunk, offset) {
      if (isChosen) counter?.data(chunk, offset);
    },
    end(entry) {
      if (isChosen) counter?.end(entry);
    },
  };
  let whole: TreeCount | null = null;
  try {
    await artifact.into({
      kind: 'reader',
      read: async (raw) => {
        whole = await readArchive(raw, observe);
      },
    });
  } finally {
    list.close();
  }
  const count = whole as TreeCount | null;
  if (count === null) throw new Error('an artifact that was not read');
  return {
    whole: count,
    chosen: counter?.count() ?? count,
    listFile,
    roots: roots.topmost(),
    hardLinks,
    found,
    device,
    traits,
  };
}

const isReadableByOwner = ({ type, mode }: TarEntry): boolean =>
  type === 'folder' ? (mode & 0o500) === 0o500 : type !== 'file' || (mode & 0o400) !== 0;

/** Collects the names that lie in no folder of the archive. */
function createRootFinder(): { add(entry: TarEntry): void; topmost(): readonly ByteName[] } {
  const folders = createNameTable();
  const roots: ByteName[] = [];
  let lastFolder: ByteName = '';
  return {
    add({ name, type }) {
      if (type === 'folder') folders.set(name, NAME.folder);
      const folder = folderOf(name);
      if (folder !== '' && folder === lastFolder) return;
      if (hasFolderAbove(name, folders)) lastFolder = folder;
      else roots.push(name);
    },
    // A folder may stand after what is in it.
    topmost: () => roots.filter((name) => !hasFolderAbove(name, folders)),
  };
}

function hasFolderAbove(name: ByteName, folders: NameTable): boolean {
  if (name === '.') return false;
  for (let at = folderOf(name); at !== ''; at = folderOf(at)) if (folders.get(at) === NAME.folder) return true;
  return folders.get('.') === NAME.folder;
}
