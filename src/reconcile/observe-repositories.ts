import { BkpError } from '../errors.ts';
import { openCatalog } from '../snapshots/catalog.ts';
import { repositoryIdentity } from '../snapshots/identity.ts';
import { readInventory } from '../snapshots/read-inventory.ts';
import { ownNames } from './backup-view.ts';
import type { Observation, ObservedRepository } from './observation.ts';
import { stoppable, type Session, type SessionRepository } from './session.ts';

/**
 * What the repositories hold, and nothing else: no target, no destination and no engine is touched, so that it works
 * wherever the repositories can be read. Enough for every command that only speaks of snapshots.
 */
export async function observeRepositories(session: Session): Promise<Observation> {
  const repositories: ObservedRepository[] = [];
  for (const opened of session.repositories) repositories.push(await observeRepository(session, opened));
  return { repositories, lastDefinitions: {}, setAside: [], destinations: {}, notices: [] };
}

async function observeRepository(session: Session, opened: SessionRepository): Promise<ObservedRepository> {
  const { name } = opened;
  if (opened.repository === null) return { name, state: 'unavailable', message: opened.problem, hint: opened.hint };
  const { repository } = opened;
  try {
    if (!(await repository.exists())) return unidentified(name, `${repository.location} does not exist`, true);
    const catalog = openCatalog(session.cacheDir);
    const identity = await repositoryIdentity(repository);
    const remembered = catalog.rememberedId(repository.location);
    if (identity === undefined)
      return unidentified(name, `${repository.location} is no repository: bkp-repository.json is missing`, true);
    if (remembered !== undefined && remembered !== identity.id) {
      return unidentified(
        name,
        `${repository.location} is another repository than before (${identity.id} instead of ${remembered})`,
        false,
      );
    }
    catalog.rememberId(repository.location, identity.id);
    const inventory = await readInventory(
      repository,
      { identity, policyNames: ownNames(session.policy), catalog },
      stoppable(session),
    );
    return { name, state: 'ready', inventory };
  } catch (error) {
    if (!(error instanceof BkpError) || error.code === 'interrupted') throw error;
    return { name, state: 'unavailable', message: error.message, hint: error.hint ?? null };
  }
}

const unidentified = (name: string, message: string, canBeMade: boolean): ObservedRepository => ({
  name,
  state: 'unidentified',
  canBeMade,
  message: `cannot use repository ${name}: ${message}`,
  hint: canBeMade
    ? `is it mounted? a new one is made by \`bkp init --repository ${name}\` or \`bkp apply --init-repositories\``
    : `is another disk mounted? if this one is meant, \`bkp init --repository ${name}\` takes note of it`,
});
