import { BkpError } from '../errors.ts';
import { openCatalog } from '../snapshots/catalog.ts';
import { shareCatalog } from '../snapshots/share-catalog.ts';
import type { Session } from './session.ts';

/**
 * At the end of a run that wrote: lets other machines have what this one knows of the repositories. It saves them time and
 * nothing else, so failing to is no failure of the run.
 */
export async function shareCatalogs(session: Session): Promise<void> {
  const catalog = openCatalog(session.cacheDir);
  for (const { repository } of session.repositories) {
    if (repository?.replace === undefined || session.signal.aborted) continue;
    const id = catalog.rememberedId(repository.location);
    try {
      if (id !== undefined) await shareCatalog(repository, id, catalog, false, session.context.signing);
    } catch (error) {
      if (!(error instanceof BkpError)) throw error;
    }
  }
}
