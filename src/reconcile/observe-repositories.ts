import { BkpError } from '../errors.ts';
import { openCatalog, type Catalog } from '../snapshots/catalog.ts';
import { repositoryIdentity } from '../snapshots/identity.ts';
import { isDead } from '../snapshots/leases.ts';
import { readInventory } from '../snapshots/read-inventory.ts';
import { ownNames } from './backup-view.ts';
import type { Observation, ObservedRepository } from './observation.ts';
import { rememberedByRuns } from './remembered-identities.ts';
import { trustedIn } from '../snapshots/trust.ts';
import { stoppable, type Session, type SessionRepository } from './session.ts';

/**
 * What the repositories hold, and nothing else: no target, no destination and no engine is touched, so that it works
 * wherever the repositories can be read. Enough for every command that only speaks of snapshots.
 */
export async function observeRepositories(session: Session): Promise<Observation> {
  const catalog = openCatalog(session.cacheDir);
  const seen: ObservedRepository[] = [];
  for (const opened of session.repositories) seen.push(await observeRepository(session, catalog, opened));
  const repositories = seen.map((one) => compareIdentity(session, catalog, one, seen));
  return { repositories, lastDefinitions: {}, setAside: [], destinations: {}, notices: session.notices ?? [] };
}

async function observeRepository(
  session: Session,
  catalog: Catalog,
  opened: SessionRepository,
): Promise<ObservedRepository> {
  const { name } = opened;
  if (opened.repository === null) return { name, state: 'unavailable', message: opened.problem, hint: opened.hint };
  const { repository } = opened;
  try {
    const remembered = catalog.rememberedId(repository.location);
    const isNew = remembered === undefined;
    if (!(await repository.exists()))
      return unidentified(opened, `cannot use repository ${name}: ${repository.location} does not exist`, isNew);
    const identity = await repositoryIdentity(repository);
    if (identity === undefined)
      return unidentified(
        opened,
        `cannot use repository ${name}: ${repository.location} has no bkp-repository.json`,
        isNew,
      );
    const inventory = await readInventory(
      repository,
      {
        identity,
        policyNames: ownNames(session.policy),
        catalog,
        trusted: trustedIn(session.context),
        ...(session.scope === undefined ? {} : { folders: session.scope.folders }),
        ...(session.unshared === undefined ? {} : { unshared: session.unshared }),
      },
      stoppable(session),
    );
    const leases = inventory.leases.filter(({ owner }) => !isDead(owner, session.context.host));
    return { name, state: 'ready', inventory: { ...inventory, leases } };
  } catch (error) {
    if (!(error instanceof BkpError) || error.code === 'interrupted') throw error;
    return { name, state: 'unavailable', message: error.message, hint: error.hint ?? null };
  }
}

/**
 * Compares a repository with what this machine remembers of its place and what the run records of the policy remember of
 * its name. The records of the other repositories outweigh this machine; a person's word (`bkp init`) is such a record.
 */
function compareIdentity(
  session: Session,
  catalog: Catalog,
  observed: ObservedRepository,
  all: readonly ObservedRepository[],
): ObservedRepository {
  const { name } = observed;
  const told = session.scope?.identities[name];
  const known = told ?? rememberedByRuns(all, name);
  const opened = session.repositories.find((one) => one.name === name);
  if (observed.state === 'unavailable') return observed;
  if (observed.state === 'unidentified')
    return known === undefined || opened === undefined ? observed : unidentified(opened, observed.message, false);
  const { repositoryId } = observed.inventory;
  const location = opened?.repository?.location ?? '';
  const here = catalog.rememberedId(location);
  const others = all.filter((one) => one !== observed);
  const elsewhere = told ?? rememberedByRuns(others, name);
  if (here !== undefined && here !== repositoryId && elsewhere !== repositoryId)
    return another(name, location, repositoryId, here);
  if (known !== undefined && known !== repositoryId) return another(name, location, repositoryId, known);
  catalog.rememberId(location, repositoryId);
  return observed;
}

const another = (name: string, location: string, id: string, before: string): ObservedRepository => ({
  name,
  state: 'unidentified',
  canBeMade: false,
  message: `cannot use repository ${name}: ${location} is another one than before (${id} instead of ${before})`,
  hint: `is another disk mounted? if this one is meant, \`bkp init --repository ${name}\` takes note of it`,
});

const unidentified = (
  { name, repository }: SessionRepository,
  message: string,
  canBeMade: boolean,
): ObservedRepository => ({
  name,
  state: 'unidentified',
  canBeMade,
  message,
  hint: canBeMade
    ? `${questionOf(repository)} a new one is made by \`bkp init --repository ${name}\` or \`bkp apply --init-repositories\``
    : `there was one before: ${questionOf(repository)} \`bkp init --repository ${name}\` makes a new one all the same`,
});

/** What may be wrong with a place of this machine, or with one elsewhere. */
const questionOf = (repository: SessionRepository['repository']): string =>
  repository?.localPath('any') === undefined ? 'are its bucket and prefix right?' : 'is it mounted?';
