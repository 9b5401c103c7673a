import { repositoryError } from '../errors.ts';
import { openCatalog } from '../snapshots/catalog.ts';
import { initializeRepository, type Identity } from '../snapshots/identity.ts';
import { observeRepositories } from './observe-repositories.ts';
import { stoppable, type Session, type SessionRepository } from './session.ts';

/** Makes one repository of the policy, or takes note that the one that is there now is meant. */
export async function initialize(session: Session, opened: SessionRepository): Promise<Identity> {
  if (opened.repository === null) throw repositoryError(opened.problem, { hint: opened.hint ?? undefined });
  const identity = await initializeRepository(opened.repository, stoppable(session));
  const now = session.context.clock.now().toISOString();
  openCatalog(session.cacheDir).rememberId(opened.repository.location, identity.id, now);
  return identity;
}

/**
 * Makes every repository of the policy that never existed, as far as this machine and the other repositories know. One
 * that was there before is not made anew: its disk is more likely not mounted.
 */
export async function initializeMissing(session: Session): Promise<void> {
  const { repositories } = await observeRepositories(session);
  for (const observed of repositories) {
    if (observed.state !== 'unidentified' || !observed.canBeMade) continue;
    const opened = session.repositories.find(({ name }) => name === observed.name);
    if (opened === undefined || opened.repository === null) continue;
    const { id } = await initialize(session, opened);
    session.context.emit({
      type: 'note',
      message: `made repository ${opened.name} (${id}) in ${opened.repository.location}`,
    });
  }
}
