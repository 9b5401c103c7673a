import { eachLimited } from '../each-limited.ts';
import type { ListedObject, Repository } from '../repositories/repository.ts';
import { MANIFESTS, MARKS, parseDocumentKey, parseMarkKey, parseSnapshotFolder, RUNS, SNAPSHOTS } from './keys.ts';

/** Versions of listed objects, undefined where the repository's listings tell none. */
export type Versions = ReadonlyMap<string, string | undefined>;

/** The keys of one backup folder name, as the listings have them. */
export interface BackupListing {
  readonly backup: string;
  /** By id, sorted. */
  readonly manifests: Versions;
  /** Ids that have a folder of artifacts. */
  readonly folders: ReadonlySet<string>;
  /** By key, sorted. */
  readonly marks: Versions;
  /** By id, sorted. */
  readonly runs: Versions;
}

interface Building {
  readonly manifests: Map<string, string | undefined>;
  readonly folders: Set<string>;
  readonly marks: Map<string, string | undefined>;
  readonly runs: Map<string, string | undefined>;
}

/** Keys that the listings will probably show, sorted; empty where nothing is known. */
export interface ExpectedKeys {
  readonly manifests: readonly string[];
  readonly marks: readonly string[];
  readonly runs: readonly string[];
  /** Folders of artifacts by that of their backup. */
  readonly folders: ReadonlyMap<string, readonly string[]>;
}

/** Folders listed at the same time. */
const FOLDERS_AT_ONCE = 16;

/**
 * Lists a repository by backup, or some backups of it. Folders are listed before manifests: a snapshot that is committed meanwhile is then
 * seen with its manifest, or not at all, and never as remains.
 */
export async function listBackups(
  repository: Repository,
  expected: ExpectedKeys,
  only?: ReadonlySet<string>,
): Promise<readonly BackupListing[]> {
  const backups = new Map<string, Building>();
  const of = (backup: string): Building => {
    const known = backups.get(backup);
    if (known !== undefined) return known;
    const made = { manifests: new Map(), folders: new Set<string>(), marks: new Map(), runs: new Map() };
    backups.set(backup, made);
    return made;
  };
  const folders =
    only === undefined
      ? (await repository.list(SNAPSHOTS, 'shallow')).filter((key) => key.endsWith('/'))
      : foldersIn(SNAPSHOTS, only);
  const listed = async (top: string, keys: readonly string[]): ReturnType<typeof listWithVersions> =>
    (
      await eachLimited(foldersIn(top, only), FOLDERS_AT_ONCE, (folder) =>
        listWithVersions(repository, folder, folder === top ? keys : keys.filter((key) => key.startsWith(folder))),
      )
    ).flat();
  await eachLimited(folders, FOLDERS_AT_ONCE, async (folder) => {
    for (const key of await repository.list(folder, 'shallow', expected.folders.get(folder))) {
      const name = parseSnapshotFolder(key);
      if (name !== undefined) of(name.backup).folders.add(name.id);
    }
  });
  for (const { key, version } of await listed(MANIFESTS, expected.manifests)) {
    const name = parseDocumentKey(key);
    if (name !== undefined) of(name.backup).manifests.set(name.id, version);
  }
  for (const { key, version } of await listed(MARKS, expected.marks)) {
    const name = parseMarkKey(key);
    if (name !== undefined) of(name.backup).marks.set(key, version);
  }
  for (const { key, version } of await listed(RUNS, expected.runs)) {
    const name = parseDocumentKey(key);
    if (name !== undefined) of(name.backup).runs.set(name.id, version);
  }
  return Array.from(backups, ([backup, listing]) => ({ backup, ...listing })).toSorted((a, b) =>
    a.backup < b.backup ? -1 : 1,
  );
}

/** The folder of each of some backups below another one; that one itself where it is about all. Sorted. */
export const foldersIn = (top: string, backups: ReadonlySet<string> | undefined): readonly string[] =>
  backups === undefined ? [top] : [...backups].toSorted().map((backup) => `${top}${backup}/`);

/** A deep listing, with versions where the repository tells them. */
export const listWithVersions = async (
  repository: Repository,
  prefix: string,
  expected?: readonly string[],
): Promise<readonly (Pick<ListedObject, 'key'> & { readonly version?: string })[]> =>
  repository.listVersions === undefined
    ? (await repository.list(prefix, 'deep')).map((key) => ({ key }))
    : repository.listVersions(prefix, expected);
