import type { Repository } from '../repositories/repository.ts';
import { MANIFESTS, MARKS, parseDocumentKey, parseMarkKey, parseSnapshotFolder, RUNS, SNAPSHOTS } from './keys.ts';

/** The keys of one backup folder name, as the listings have them. */
export interface BackupListing {
  readonly backup: string;
  /** Ids that have a manifest, sorted. */
  readonly manifests: readonly string[];
  /** Ids that have a folder of artifacts. */
  readonly folders: ReadonlySet<string>;
  /** Keys of marks, sorted. */
  readonly marks: readonly string[];
  /** Ids of run records, sorted. */
  readonly runs: readonly string[];
}

interface Building {
  readonly manifests: string[];
  readonly folders: Set<string>;
  readonly marks: string[];
  readonly runs: string[];
}

/**
 * Lists a repository by backup. Folders are listed before manifests: a snapshot that is committed meanwhile is then
 * seen with its manifest, or not at all, and never as remains.
 */
export async function listBackups(repository: Repository): Promise<readonly BackupListing[]> {
  const backups = new Map<string, Building>();
  const of = (backup: string): Building => {
    const known = backups.get(backup);
    if (known !== undefined) return known;
    const made = { manifests: [], folders: new Set<string>(), marks: [], runs: [] };
    backups.set(backup, made);
    return made;
  };
  for (const folder of await repository.list(SNAPSHOTS, 'shallow')) {
    if (!folder.endsWith('/')) continue;
    for (const key of await repository.list(folder, 'shallow')) {
      const name = parseSnapshotFolder(key);
      if (name !== undefined) of(name.backup).folders.add(name.id);
    }
  }
  for (const key of await repository.list(MANIFESTS, 'deep')) {
    const name = parseDocumentKey(key);
    if (name !== undefined) of(name.backup).manifests.push(name.id);
  }
  for (const key of await repository.list(MARKS, 'deep')) {
    const name = parseMarkKey(key);
    if (name !== undefined) of(name.backup).marks.push(key);
  }
  for (const key of await repository.list(RUNS, 'deep')) {
    const name = parseDocumentKey(key);
    if (name !== undefined) of(name.backup).runs.push(name.id);
  }
  return Array.from(backups, ([backup, listing]) => ({ backup, ...listing })).toSorted((a, b) =>
    a.backup < b.backup ? -1 : 1,
  );
}
