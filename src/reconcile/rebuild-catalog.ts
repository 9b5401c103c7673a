import { repositoryError } from '../errors.ts';
import { openCatalog, type Catalog } from '../snapshots/catalog.ts';
import { repositoryIdentity } from '../snapshots/identity.ts';
import { readInventory } from '../snapshots/read-inventory.ts';
import { trustedIn } from '../snapshots/trust.ts';
import { shareCatalog } from '../snapshots/share-catalog.ts';
import { stoppable, type Session, type SessionRepository } from './session.ts';

export interface RebuiltCatalog {
  readonly repository: string;
  readonly snapshots: number;
  /** Size of its index; null where it has none, or another machine wrote it in the meantime. */
  readonly indexBytes: number | null;
}

/** Reads all of a repository object by object, and writes the catalog of this machine and the repository's index anew. */
export async function rebuildCatalog(session: Session, opened: SessionRepository): Promise<RebuiltCatalog> {
  const { name, repository } = opened;
  if (repository === null) throw repositoryError(opened.problem, { hint: opened.hint ?? undefined });
  const identity = await repositoryIdentity(repository);
  if (identity === undefined)
    throw repositoryError(`cannot read repository ${name}: ${repository.location} has no bkp-repository.json`);
  const known = openCatalog(session.cacheDir);
  const forgetful: Catalog = { ...known, backups: () => [], load: () => undefined };
  const inventory = await readInventory(
    repository,
    { identity, policyNames: null, catalog: forgetful, unshared: 'all', trusted: trustedIn(session.context) },
    stoppable(session),
  );
  const indexBytes = await shareCatalog(repository, identity.id, known, true, session.context.signing);
  return { repository: name, snapshots: inventory.snapshots.length, indexBytes: indexBytes ?? null };
}
