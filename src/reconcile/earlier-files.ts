import type { Context } from '../context.ts';
import { engineOf } from '../engines/registry.ts';
import { BkpError } from '../errors.ts';
import type { ResolvedBackup } from '../policy/resolved-policy.ts';
import { isGood } from '../snapshots/standing.ts';
import type { Repository } from '../repositories/repository.ts';
import { snapshotFolder } from '../snapshots/keys.ts';
import type { Manifest } from '../snapshots/manifest.ts';
import type { ListedFile } from '../streams/bytes.ts';
import { type FileList, withFileList } from '../streams/file-list.ts';
import { verifyStored } from '../streams/hash-stored.ts';
import { openArtifact } from '../streams/open-artifact.ts';
import type { ArtifactPlace } from './copy-artifact.ts';
import type { BackupExecution } from './execution.ts';
import { recordsOf } from './holder.ts';
import { requireSigned } from './require-manifest.ts';

/** True where a capture of the backup stores files each by itself. */
export const listsFiles = ({ targets }: Pick<ResolvedBackup, 'targets'>): boolean =>
  targets.some(({ config }) => engineOf(config.type).listsFiles?.(config) === true);

/** Artifacts that list files, of one snapshot in one repository, by the name of their target. */
export type ListedFolders = ReadonlyMap<string, ArtifactPlace>;

/**
 * Those of the newest snapshot of the backup in a repository: files that need not be stored there anew. None unless it is
 * good: damage that was found somewhere must not be copied on.
 */
export async function newestFolders(
  execution: BackupExecution,
  name: string,
  repository: Repository,
): Promise<ListedFolders> {
  const newest = recordsOf(execution, name).findLast(({ kind }) => kind === 'backup');
  if (newest === undefined || !isGood(newest)) return new Map();
  try {
    return foldersOf(repository, newest.backup, await requireSigned(repository, newest, execution.session.context));
  } catch (error) {
    if (error instanceof BkpError && error.code !== 'interrupted') return new Map();
    throw error;
  }
}

/** Those of a manifest. */
export const foldersOf = (repository: Repository, backup: string, manifest: Manifest): ListedFolders =>
  new Map(
    Object.entries(manifest.targets).flatMap(([target, { artifacts }]) =>
      artifacts.flatMap((artifact) =>
        artifact.folder === undefined
          ? []
          : [[target, { repository, folder: snapshotFolder(backup, manifest.id), artifact }] as const],
      ),
    ),
  );

/** The files of an earlier snapshot, looked for in the order of the bytes of their keys. */
export interface EarlierFolder {
  /** Repository key, ending with a slash. */
  readonly folder: string;
  find(key: string): Promise<ListedFile | undefined>;
}

/** Where there is no earlier snapshot. */
export const NO_FILES: EarlierFolder = { folder: '', find: async () => undefined };

/** Gives what an earlier snapshot has; nothing where its list is not what its manifest says. */
export async function withEarlierFiles<T>(
  place: ArtifactPlace | undefined,
  context: Context,
  use: (earlier: EarlierFolder) => Promise<T>,
): Promise<T> {
  const files = place?.artifact.folder;
  if (place === undefined || files === undefined) return use(NO_FILES);
  const { repository, artifact } = place;
  const key = place.folder + artifact.key;
  try {
    await verifyStored(artifact, { repository, key }, context);
  } catch (error) {
    if (error instanceof BkpError && (error.code === 'integrity' || error.code === 'not-found')) return use(NO_FILES);
    throw error;
  }
  return withFileList(openArtifact(artifact, { repository, key }, context), context, async (list) => {
    const { find, close } = openCursor(list);
    try {
      return await use({ folder: place.folder + files.key, find });
    } finally {
      await close();
    }
  });
}

/** Finds lines of a list whose keys are asked for in its own order; what is asked for out of order is not found. */
function openCursor(list: FileList): {
  readonly find: (key: string) => Promise<ListedFile | undefined>;
  readonly close: () => Promise<unknown>;
} {
  const files = list();
  let current: ListedFile | undefined | null = null;
  const next = async (): Promise<ListedFile | undefined> => {
    const { value } = await files.next();
    return value;
  };
  return {
    find: async (key) => {
      if (current === null) current = await next();
      const wanted = Buffer.from(key);
      while (current !== undefined && Buffer.compare(Buffer.from(current.key), wanted) < 0) current = await next();
      return current?.key === key ? current : undefined;
    },
    close: () => files.return(undefined),
  };
}
