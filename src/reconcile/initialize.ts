import { reasonOf, repositoryError } from '../errors.ts';
import type { Repository } from '../repositories/repository.ts';
import { openCatalog } from '../snapshots/catalog.ts';
import { initializeRepository, type Identity } from '../snapshots/identity.ts';
import { keepingOf } from '../snapshots/object-lock.ts';
import { observeRepositories } from './observe-repositories.ts';
import { identitiesOf } from './remembered-identities.ts';
import { openRun } from './run-record-writer.ts';
import { stoppable, type Session, type SessionRepository } from './session.ts';

/** Makes one repository of the policy, or takes note that the one that is there now is meant. */
export async function initialize(session: Session, opened: SessionRepository): Promise<Identity> {
  if (opened.repository === null) throw repositoryError(opened.problem, { hint: opened.hint ?? undefined });
  await keepingOf(opened.repository);
  const identity = await initializeRepository(opened.repository, stoppable(session));
  openCatalog(session.cacheDir).rememberId(opened.repository.location, identity.id);
  const observation = await observeRepositories(session);
  const isKnown = observation.repositories.some(({ name, state }) => name === opened.name && state === 'ready');
  if (!isKnown) await takeNote(session, opened, { ...identitiesOf(observation), [opened.name]: identity.id });
  return identity;
}

/** The run records of the policy speak of another repository: a newer one, in every repository, speaks of this one. */
async function takeNote(
  session: Session,
  { name }: SessionRepository,
  repositories: Readonly<Record<string, string>>,
): Promise<void> {
  const backup = session.policy.backups.find((one) => one.repositories.includes(name));
  if (backup === undefined) return;
  const startedAt = session.context.clock.now();
  const id = session.newId(startedAt);
  const note = async (repository: Repository): Promise<void> => {
    const run = await openRun(session, repository, {
      id,
      backup: backup.name,
      command: 'init',
      startedAt,
      tick: null,
      captures: null,
      owedHooks: [],
      repositories,
      planned: [],
    });
    await run.finish('done', [], []);
  };
  for (const { name: other, repository } of session.repositories) {
    if (repositories[other] === undefined || repository === null) continue;
    await note(repository).catch((error: unknown) =>
      session.context.emit({
        type: 'warning',
        message: `no note of ${name} could be left in ${other}: ${reasonOf(error)}`,
      }),
    );
  }
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
