import { BkpError } from '../errors.ts';
import { openCatalog } from '../snapshots/catalog.ts';
import { initializeRepository, repositoryIdentity } from '../snapshots/identity.ts';
import type { Session, SessionRepository } from './session.ts';

/** Makes one repository of the policy, or takes note of the one that is there now. Gives its id. */
export async function initialize(session: Session, opened: SessionRepository): Promise<string> {
  if (opened.repository === null) throw new BkpError('repository', opened.problem, { hint: opened.hint ?? undefined });
  const { id } = await initializeRepository(opened.repository, session.context);
  openCatalog(session.cacheDir).rememberId(opened.repository.location, id);
  return id;
}

/** Makes every repository of the policy that does not exist yet. */
export async function initializeMissing(session: Session): Promise<void> {
  for (const opened of session.repositories) {
    if (opened.repository === null || (await exists(opened.repository))) continue;
    const id = await initialize(session, opened);
    session.context.emit({
      type: 'note',
      message: `made repository ${opened.name} (${id}) in ${opened.repository.location}`,
    });
  }
}

async function exists(repository: NonNullable<SessionRepository['repository']>): Promise<boolean> {
  try {
    return (await repositoryIdentity(repository)) !== undefined;
  } catch (error) {
    if (error instanceof BkpError) return false;
    throw error;
  }
}
