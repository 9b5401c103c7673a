import type { Repository } from '../repositories/repository.ts';
import type { Signing } from '../signing/signing.ts';
import type { Catalog } from './catalog.ts';
import { EMPTY_PART, type CatalogPart } from './catalog-part.ts';
import { INDEX_KEY } from './keys.ts';
import { readSharedIndex, writeSharedIndex, type SharedIndex } from './shared-index.ts';

/** Fewer objects than this are read as fast without an index, and one that lacks no more serves as well as a new one. */
const WORTH_WRITING = 64;

/**
 * Writes what the catalog of this machine knows into the index of a repository, so that machines that know less need not
 * read it object by object: where the index lacks much, or in any case where it is wanted. Of two that do so at once one
 * wins. Gives the bytes that were written, or undefined.
 */
export async function shareCatalog(
  repository: Repository,
  repositoryId: string,
  catalog: Catalog,
  isWanted: boolean,
  signing?: Signing,
): Promise<number | undefined> {
  if (repository.replace === undefined) return undefined;
  const parts = new Map<string, CatalogPart>();
  for (const backup of [...catalog.backups(repositoryId)].sort()) {
    const part = catalog.load(repositoryId, backup);
    if (part !== undefined) parts.set(backup, part);
  }
  if (!isWanted && sizeOf(parts) < WORTH_WRITING) return undefined;
  const version = (await repository.stat(INDEX_KEY))?.version;
  const index =
    version === undefined || isWanted
      ? undefined
      : await readSharedIndex(repository, repositoryId, signing?.publicKeys);
  if (index !== undefined && differences(parts, index) < WORTH_WRITING) return undefined;
  const content = writeSharedIndex(repositoryId, parts, signing?.keyIfThere());
  return (await repository.replace(INDEX_KEY, content, version)) ? content.length : undefined;
}

const sizeOf = (parts: ReadonlyMap<string, CatalogPart>): number =>
  [...parts.values()].reduce((sum, { manifests, marks, runs }) => sum + manifests.size + marks.size + runs.size, 0);

/** How many objects only one of both knows, or knows in another version. */
function differences(parts: ReadonlyMap<string, CatalogPart>, index: SharedIndex): number {
  let count = 0;
  for (const backup of new Set([...parts.keys(), ...index.backups])) {
    const [own, told] = [parts.get(backup) ?? EMPTY_PART, index.load(backup) ?? EMPTY_PART];
    count += apart(own.manifests, told.manifests) + apart(own.marks, told.marks) + apart(own.runs, told.runs);
  }
  return count;
}

type Versioned = ReadonlyMap<string, { readonly version: string }>;

function apart(own: Versioned, told: Versioned): number {
  const same = [...own].filter(([name, { version }]) => told.get(name)?.version === version).length;
  return Math.max(own.size, told.size) - same;
}
