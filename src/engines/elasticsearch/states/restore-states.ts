import { BkpError, guardError, integrityError, notFoundError, reasonOf } from '../../../errors.ts';
import type { RestoreMode } from '../../engine.ts';
import type { SnapshotPlace } from '../artifact/index-header.ts';
import type { SearchServer } from '../server/server.ts';
import type { RestoreSource } from '../snapshot/restore-beside.ts';
import { pathOfSnapshot } from '../snapshot/server-snapshot.ts';
import type { PlacedStreams } from '../streams/put-in-place.ts';
import { differences, readClusterState } from './cluster-state.ts';
import { knowsFeatures, refusedStates, type States } from './states.ts';

/** Throws where states of the cluster are asked for that the snapshot does not hold, or by a mode that keeps what is there. */
export function assertStates(wanted: States, place: SnapshotPlace | undefined, mode: RestoreMode): void {
  const [problem] = refusedStates(wanted, mode);
  if (problem !== undefined) throw guardError(`cannot restore: ${problem.message}`, { hint: problem.hint });
  if (wanted.global && place?.globalState !== true)
    throw notFoundError('cannot restore the global state: the snapshot has none', {
      hint: '`globalState: true` captures it from the next snapshot on',
    });
  const held = Object.keys(place?.featureStates ?? {});
  const missing = wanted.features.filter((name) => !held.includes(name));
  if (missing.length > 0)
    throw notFoundError(`cannot restore the feature state ${missing.join(', ')}: the snapshot has none`, {
      hint: held.length === 0 ? '`featureStates` captures some from the next snapshot on' : `it has ${held.join(', ')}`,
    });
}

/** Has the server replace states of the whole cluster, and tells what became of those that can be read. */
export async function restoreStates(
  server: SearchServer,
  { repository, name }: RestoreSource,
  wanted: States,
  warn: (message: string) => void,
): Promise<void> {
  const before = wanted.global ? await readClusterState(server) : null;
  const doing = 'cannot restore states of the cluster';
  const answer = (await server.json({
    method: 'POST',
    path: `${pathOfSnapshot(repository, name)}/_restore`,
    query: { wait_for_completion: true },
    body: JSON.stringify({
      indices: ['-*'],
      include_global_state: wanted.global,
      partial: false,
      ...(knowsFeatures(server.version)
        ? { feature_states: wanted.features.length === 0 ? ['none'] : wanted.features }
        : {}),
    }),
    doing,
    repeatable: false,
    busyWhile: /concurrent_snapshot_execution_exception/,
    isFinished: true,
  })) as { readonly snapshot?: { readonly shards?: { readonly failed?: number } } };
  if ((answer.snapshot?.shards?.failed ?? 0) > 0)
    throw integrityError(`${doing}: ${answer.snapshot?.shards?.failed} shards failed`);
  for (const feature of wanted.features) warn(`feature ${feature} is as the snapshot has it`);
  if (before === null) return;
  warn('the global state of the cluster is as the snapshot has it');
  for (const line of differences(before, await readClusterState(server))) warn(line);
}

/** Places data streams once the states are replaced: from then on a failure says that they are. */
export async function afterStates(states: Promise<void>, place: () => Promise<PlacedStreams>): Promise<PlacedStreams> {
  await states;
  const told = (error: unknown): BkpError =>
    new BkpError(
      error instanceof BkpError ? error.code : 'target',
      `${reasonOf(error)}; the states of the whole cluster are as the snapshot has them already`,
      { hint: error instanceof BkpError ? error.hint : undefined, cause: error },
    );
  const placed = await place().catch((error: unknown) => {
    throw told(error);
  });
  return { kept: placed.kept, takeBack: async (error) => told(await placed.takeBack(error)) };
}
