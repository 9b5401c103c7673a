import type { Probe, Problem } from '../../engine.ts';
import { type Actions, lackingPrivileges, lackingProblem } from '../server/privileges.ts';
import type { ListedIndex } from '../server/list-indices.ts';
import { isPattern } from '../server/name-patterns.ts';
import type { SearchServer } from '../server/server.ts';
import type { SearchTarget } from '../server/settings.ts';
import { describeVersion, type ServerVersion } from '../server/version.ts';

const TO_DESCRIBE: Actions = {
  'indices:admin/get': 'view_index_metadata',
  'indices:monitor/stats': 'monitor',
};
const TO_EXPORT: Actions = { ...TO_DESCRIBE, 'indices:data/read/search': 'read' };
const TO_SNAPSHOT: Actions = { ...TO_EXPORT, 'indices:admin/refresh': 'maintenance' };

const OF_GLOBALS: Actions = { 'cluster:admin/ingest/pipeline/get': 'read_pipeline' };
const OF_SNAPSHOTS: Actions = {
  'cluster:admin/snapshot/create': 'create_snapshot',
  'cluster:admin/snapshot/get': 'create_snapshot',
  // What failed is removed, and what retention lets go. Only `manage` has it, or the action itself.
  'cluster:admin/snapshot/delete': 'cluster:admin/snapshot/delete',
};

/** What keeps this user from capturing these indices. */
export async function judgeRights(
  server: SearchServer,
  { method, globals }: SearchTarget,
  chosen: readonly Pick<ListedIndex, 'name'>[],
): Promise<readonly Problem[]> {
  const isSnapshot = method === 'snapshot';
  const cluster = { ...(globals === false ? {} : OF_GLOBALS), ...(isSnapshot ? OF_SNAPSHOTS : {}) };
  const actions = isSnapshot ? TO_SNAPSHOT : TO_EXPORT;
  return lackingProblem(
    await lackingPrivileges(server, { cluster, indices: [{ names: chosen.map(({ name }) => name), actions }] }),
  );
}

/** A server shows everybody only what he may see: what a pattern means besides would be left out in silence. */
export async function unseen(server: SearchServer, { indices = ['*'] }: SearchTarget): Promise<readonly string[]> {
  const patterns = indices.filter(isPattern);
  const lacking = await lackingPrivileges(server, {
    cluster: {},
    indices: [{ names: patterns, actions: { 'indices:admin/get': 'view_index_metadata' } }],
  });
  if (patterns.length === 0 || lacking.length === 0) return [];
  return [`the user lacks ${lacking.join('; ')}: an index that he may not see is not in it`];
}

/** What is known where the user may not look further. */
export const unread = (version: ServerVersion, problems: readonly Problem[], warnings: readonly string[]): Probe => ({
  versions: { server: describeVersion(version), tool: null },
  estimatedBytes: null,
  problems,
  warnings: warnings.map((message) => ({ message })),
});
