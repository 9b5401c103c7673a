import { guardError, targetError, usageError } from '../../../errors.ts';
import { isRestored } from '../archive/archive-facts.ts';
import type { ArchivedCollection } from '../archive/archive-reader.ts';
import { listAll, type LiveCollection } from '../server/collections.ts';
import type { Session } from '../server/connection.ts';
import { isOwnName } from '../server/names.ts';
import type { MongodbRequest } from './restore.ts';
import { assertNamesFit, freeOldPrefix, uniqueNewPrefix } from './side.ts';

/** One database of an archive, and where it goes. */
export interface Place {
  /** As the archive calls it. */
  readonly from: string;
  readonly database: string;
  /** What stands there now. */
  readonly live: readonly LiveCollection[];
  /** Before the names of collections while they are built; empty where they are built in their place. */
  readonly prefix: string;
  /** Before the names of collections that are set aside. */
  readonly old: string;
}

/** Which database goes where. Throws `usage` where several would go into one. */
export function pairDatabases(
  { destination }: Pick<MongodbRequest, 'destination'>,
  collections: readonly ArchivedCollection[],
): readonly Pick<Place, 'from' | 'database'>[] {
  const found = [...new Set(collections.filter(isRestored).map(({ database }) => database))].toSorted();
  const [from] = found;
  if (from === undefined) throw targetError('cannot restore: the archive has no collection');
  const { database } = destination;
  if (database === undefined) return found.map((name) => ({ from: name, database: name }));
  if (found.length === 1) return [{ from, database }];
  throw usageError(`cannot restore ${found.length} databases into one: ${found.join(', ')}`, {
    hint: 'restore all of them, without `database` in --into',
  });
}

/** Looks at a place. Throws `guard` where mode `new` finds something there. */
export async function openPlace(
  pair: Pick<Place, 'from' | 'database'>,
  { mode, snapshot }: MongodbRequest,
  isDirect: boolean,
  session: Session,
): Promise<Place> {
  const { database } = pair;
  const all = await listAll(session, database);
  const live = all.filter(({ name }) => !isOwnName(name));
  if (mode === 'new' && live.length > 0)
    throw guardError(`cannot restore database ${database}: it holds ${describeCollections(live)}`, {
      hint: '`--mode replace` sets it aside, `--mode merge` adds what is missing',
    });
  const old = freeOldPrefix(snapshot, all);
  assertNamesFit(database, live, old);
  return { ...pair, live, old, prefix: isDirect ? '' : uniqueNewPrefix(snapshot) };
}

/** `12 collections`. */
export const describeCollections = (live: readonly LiveCollection[]): string =>
  `${live.length.toLocaleString('en')} ${live.length === 1 ? 'collection' : 'collections'}`;
