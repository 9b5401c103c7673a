import { BkpError, guardError, integrityError, reasonOf, targetError } from '../../../errors.ts';
import type { SnapshotPlace } from '../artifact/index-header.ts';
import type { SearchServer } from '../server/server.ts';
import { listRepositories } from './repository.ts';
import { flawOf, readSnapshot } from './server-snapshot.ts';

/**
 * The repository in which this server, which may be another than was captured, has a snapshot: told by the snapshot's own
 * id. Throws `guard` where none has it, `integrity` where it is not whole any more.
 */
export async function findSnapshot(server: SearchServer, wanted: SnapshotPlace): Promise<string> {
  const all = await listRepositories(server);
  const isSame = (name: string): boolean => name === wanted.repository.name;
  const names = all.map(({ name }) => name).toSorted((a, b) => Number(isSame(b)) - Number(isSame(a)));
  const unread: string[] = [];
  for (const repository of names) {
    // Of others that it has, a server may reach none; the one that is looked for may still come.
    const found = await readSnapshot(server, repository, wanted.name).catch((error: unknown) => {
      if (!(error instanceof BkpError) || error.code !== 'target') throw error;
      unread.push(reasonOf(error));
      return null;
    });
    if (found?.uuid !== wanted.uuid) continue;
    const flaw = flawOf(found);
    if (flaw === null) return repository;
    throw integrityError(`cannot restore snapshot ${wanted.name} from repository ${repository} of the server: ${flaw}`);
  }
  if (unread.length > 0)
    throw targetError(`cannot restore snapshot ${wanted.name}: ${unread.join('; ')}`, {
      hint: 'no other repository of the server has it',
    });
  const { name, type, settings } = wanted.repository;
  const where = ['location', 'bucket', 'base_path', 'url', 'container']
    .flatMap((key) => (settings[key] === undefined ? [] : [`${key} ${settings[key]}`]))
    .join(', ');
  const isHome = server.cluster === wanted.cluster;
  throw guardError(
    `cannot restore snapshot ${wanted.name}: ${isHome ? 'the server does not have it any more' : `no repository of ${server.place} has it`}`,
    {
      hint: isHome
        ? `it was in repository ${name}`
        : `register the place where it lies on this server, read-only (type ${type}${where === '' ? '' : `, ${where}`}, readonly true)`,
    },
  );
}
