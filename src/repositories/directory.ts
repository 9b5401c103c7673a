import { statSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { cloneObject, type Sharing } from './directory/clone.ts';
import { explain } from './directory/errors.ts';
import { pagesOfKeys } from './directory/pages.ts';
import { requireRoot } from './directory/paths.ts';
import { listObjects, openObject, readObject, statObject } from './directory/read.ts';
import { sweepTemporary, temporaryName } from './directory/temporary.ts';
import { shareSyncs } from './directory/share-syncs.ts';
import { createObject, putObject, removeObject, type Writer } from './directory/write.ts';
import { fileSteps, type FileSteps } from './file-steps.ts';
import { checkKey } from './key.ts';
import type { Repository, RepositoryEdge } from './repository.ts';

export interface DirectoryConfig {
  readonly path: string;
  readonly singleWriter?: boolean;
  readonly dedupe?: Sharing;
}

/**
 * A folder on a local or mounted file system: files 0600, folders 0700, each written under `.tmp/`, synced and then
 * named. A root that is missing is an error everywhere, since that is what an unmounted disk looks like.
 */
export function openDirectoryRepository(config: DirectoryConfig, edge: RepositoryEdge): Repository {
  const root = resolve(config.path);
  const singleWriter = config.singleWriter ?? false;
  const steps = shareSyncs(edge.fileSteps ?? fileSteps);
  const writer: Writer = { root, singleWriter, steps, newTemporaryName: () => temporaryName(edge) };
  return {
    capabilities: { exclusiveCreate: !singleWriter },
    location: root,
    put: async (key, content) => ({ bytes: await putObject(writer, key, content) }),
    create: (key, content) => createObject(writer, key, content),
    read: async (key) => readObject(root, key),
    open: (key) => openObject(root, key),
    stat: async (key) => statObject(root, key),
    list: (prefix, depth) => listObjects(root, prefix, depth),
    pages: (prefix) => pagesOfKeys(root, prefix),
    remove: (key) => removeObject(writer, key),
    clone: (from, to, bytes) => cloneObject(writer, { from, to, bytes, sharing: config.dedupe ?? 'reflink' }),
    sweep: () => sweepTemporary(root, steps, edge),
    now: async () => undefined,
    freeBytes: () => freeBytes(root),
    localPath: (key) => {
      checkKey(key);
      return join(root, key);
    },
    exists: async () => rootExists(root),
    prepare: () => prepareRoot(root, steps),
  };
}

function rootExists(root: string): boolean {
  try {
    return statSync(root, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    throw explain(error, 'open', '', root);
  }
}

async function freeBytes(root: string): Promise<number> {
  requireRoot(root);
  try {
    const { bavail, bsize } = await statfs(root);
    return bavail * bsize;
  } catch (error) {
    throw explain(error, 'measure', '', root);
  }
}

async function prepareRoot(root: string, steps: FileSteps): Promise<void> {
  try {
    await makeFolders(root, steps);
  } catch (error) {
    throw explain(error, 'make', '', root);
  }
  requireRoot(root);
}

async function makeFolders(path: string, steps: FileSteps): Promise<void> {
  if (statSync(path, { throwIfNoEntry: false }) !== undefined) return;
  await makeFolders(dirname(path), steps);
  await steps.makeFolder(path);
  await steps.syncFolder(dirname(path));
}
