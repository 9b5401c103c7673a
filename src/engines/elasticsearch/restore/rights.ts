import { targetError } from '../../../errors.ts';
import type { RestoreMode } from '../../engine.ts';
import { newName, oldName, UNFINISHED } from '../server/own-names.ts';
import { type Actions, lackingPrivileges } from '../server/privileges.ts';
import type { SearchServer } from '../server/server.ts';
import type { WantedIndex } from './wanted.ts';

/** An index is made, counted and linked to its place. */
const TO_MAKE: Actions = {
  'indices:admin/create': 'manage',
  'indices:admin/delete': 'manage',
  'indices:admin/resize': 'manage',
  'indices:admin/block/add': 'manage',
  'indices:admin/settings/update': 'manage',
  'indices:admin/refresh': 'manage',
  'indices:data/read/search': 'read',
};
const TO_FILL: Actions = { 'indices:data/write/index': 'write', 'indices:data/write/bulk': 'write' };
const TO_MERGE: Actions = {
  'indices:data/write/index': 'write',
  'indices:data/write/delete': 'write',
  'indices:data/write/bulk': 'write',
  'indices:admin/refresh': 'maintenance',
};

interface Order {
  readonly mode: RestoreMode;
  readonly snapshot: string;
  readonly wanted: readonly WantedIndex[];
  readonly existing: ReadonlySet<string>;
  /** The server restores a snapshot of its own. */
  readonly byServer: boolean;
}

/** Throws before anything is changed where the user may not go through with all of it. */
export async function assertMayRestore(
  server: SearchServer,
  { mode, snapshot, wanted, existing, byServer }: Order,
): Promise<void> {
  const isMerged = ({ to }: WantedIndex): boolean => mode === 'merge' && existing.has(to);
  const merged = wanted.filter(isMerged).map(({ to }) => to);
  const built = wanted.filter((one) => !isMerged(one)).map(({ to }) => to);
  const asides = mode === 'replace' ? built.filter((to) => existing.has(to)).map((to) => oldName(to, snapshot, 1)) : [];
  const places = [...built, ...(byServer ? [...built, ...merged] : built).map(newName), ...asides];
  const actions = byServer ? TO_MAKE : { ...TO_MAKE, ...TO_FILL };
  const lacking = await lackingPrivileges(server, {
    cluster: {
      'cluster:monitor/health': 'monitor',
      ...(byServer ? { 'cluster:admin/snapshot/restore': 'cluster:admin/snapshot/restore' } : {}),
    },
    indices: [
      { names: places, actions },
      // Aliases that come with an index are nobody's to allow; this one is taken away by itself.
      { names: built.length === 0 ? [] : [UNFINISHED], actions: { 'indices:admin/aliases': 'manage' } },
      { names: merged, actions: TO_MERGE },
    ],
  });
  if (lacking.length === 0) return;
  throw targetError(`cannot restore: the user lacks ${lacking.join('; ')}`, {
    hint: 'nothing was changed; give these privileges to a role of the user, or restore as another',
  });
}
