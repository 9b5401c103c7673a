import type { Context } from '../../../context.ts';
import { guardError } from '../../../errors.ts';
import type { Origin, Reference, ReferenceKeeper, ReferenceListing } from '../../references.ts';
import { type SearchServer, withServer } from '../server/server.ts';
import { placeOfServer, type SearchTarget } from '../server/settings.ts';
import { storeOf } from './capture.ts';
import { wantedRepository } from './repository.ts';
import { deleteSnapshot, flawOf, listSnapshots, readSnapshot } from './server-snapshot.ts';

/** The snapshots that captures left in repositories of servers. */
export const snapshotKeeper: ReferenceKeeper<SearchTarget> = {
  place: (target) =>
    target.method === 'snapshot' && target.snapshotRepository !== undefined
      ? JSON.stringify([placeOfServer(target), target.snapshotRepository.name])
      : null,

  list: (target, context) =>
    withServer(target, context, async (server): Promise<ReferenceListing> => {
      const { name: repository } = wantedRepository(target);
      const store = storeOf(server.cluster, repository);
      const all = await listSnapshots(server, repository);
      return {
        store,
        found: all.flatMap(({ snapshot: name, uuid, metadata }) => {
          const origin = originIn(metadata?.bkp);
          // What another cluster took is not this one's to tell of, nor to remove.
          const isElsewhere = (metadata?.bkp?.cluster ?? server.cluster) !== server.cluster;
          return origin === null || isElsewhere ? [] : [{ store, name, id: uuid, origin }];
        }),
      };
    }),

  flawOf: (target, reference, context) =>
    inItsPlace(target, reference, context, async (server, repository) => {
      const found = await readSnapshot(server, repository, reference.name);
      const what = `snapshot ${reference.name} in repository ${repository} of the server`;
      if (found === null) return `${what} is gone`;
      if (found.uuid !== reference.id) return `${what} is another one now`;
      const flaw = flawOf(found);
      return flaw === null ? null : `${what} is not whole: ${flaw}`;
    }),

  release: (target, reference, context) =>
    inItsPlace(target, reference, context, async (server, repository) => {
      const found = await readSnapshot(server, repository, reference.name);
      if (found === null) return;
      if (found.uuid !== reference.id || originIn(found.metadata?.bkp) === null)
        throw guardError(
          `cannot delete snapshot ${reference.name} from repository ${repository}: it is another one now`,
        );
      await deleteSnapshot(server, repository, reference.name);
    }),
};

/** Does something where a reference lies. What lies elsewhere is nothing that this target could tell of. */
async function inItsPlace<T>(
  target: SearchTarget,
  { store, name }: Reference,
  context: Context,
  use: (server: SearchServer, repository: string) => Promise<T>,
): Promise<T> {
  return withServer(target, context, async (server) => {
    const [cluster = '', ...rest] = store.split('/');
    if (cluster !== server.cluster)
      throw guardError(`cannot look for snapshot ${name}: it lies with another cluster than ${server.place}`, {
        hint: `cluster ${cluster}, repository ${rest.join('/')}`,
      });
    return use(server, rest.join('/'));
  });
}

function originIn(told: Partial<Origin> | undefined): Origin | null {
  const { policy, backup, snapshot, target, run } = told ?? {};
  const all = [policy, backup, snapshot, target, run];
  if (!all.every((one) => typeof one === 'string')) return null;
  return { policy, backup, snapshot, target, run } as Origin;
}
