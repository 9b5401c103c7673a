import { setTimeout as sleep } from 'node:timers/promises';
import { reasonOf, targetError, throwIfAborted } from '../../../errors.ts';
import { assertWhole, type Building } from '../restore/build.ts';
import { deleteIndex } from '../restore/index-steps.ts';
import type { WantedIndex } from '../restore/wanted.ts';
import { newName } from '../server/own-names.ts';
import { pauseBefore } from '../server/pause.ts';
import { pathOfSnapshot } from './server-snapshot.ts';
import { pathOfIndex } from '../artifact/index-header.ts';

/** Where a snapshot lies on the server that restores it. */
export interface RestoreSource {
  readonly repository: string;
  readonly name: string;
}

/** What would refuse writes, act by itself or keep a shard from its place while an index waits for its own. */
const IGNORED = [
  'index.blocks.*',
  'index.lifecycle.*',
  'index.plugins.*',
  'index.opendistro.*',
  'index.routing.allocation.*',
];

const MOST_ATTEMPTS = 6;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2_000;
/** Shards wait for others that are restored; when nothing moves for this long, nothing will. */
const PATIENCE_MS = 600_000;

/** Has the server restore an index beside the place where it shall stand; gives it with what is in it now. */
export async function restoreBeside(
  wanted: WantedIndex,
  building: Building,
  { repository, name: snapshot }: RestoreSource,
): Promise<WantedIndex> {
  const name = newName(wanted.to);
  await ask(wanted, building, { repository, name: snapshot });
  await waitUntilRestored(name, wanted.name, building);
  return { ...wanted, documents: await assertWhole(wanted, building, name) };
}

/** What a restore that was killed had asked for may come only now: it goes, and is asked for once more. */
async function ask(
  wanted: WantedIndex,
  { server, context }: Building,
  { repository, name: snapshot }: RestoreSource,
): Promise<void> {
  const name = newName(wanted.to);
  for (let attempt = 1; ; attempt += 1) {
    await deleteIndex(server, name);
    try {
      await server.bytes({
        method: 'POST',
        path: `${pathOfSnapshot(repository, snapshot)}/_restore`,
        query: { wait_for_completion: false },
        body: JSON.stringify({
          indices: [wanted.name],
          rename_pattern: '.+',
          rename_replacement: name.replaceAll(/[\\$]/g, '\\$&'),
          include_global_state: false,
          include_aliases: false,
          partial: false,
          index_settings: { 'index.auto_expand_replicas': false, 'index.number_of_replicas': 0, 'index.hidden': true },
          ignore_index_settings: IGNORED,
        }),
        doing: `cannot restore index ${wanted.name} from snapshot ${snapshot}`,
        repeatable: false,
        busyWhile: /concurrent_snapshot_execution_exception/,
        isFinished: true,
      });
      return;
    } catch (error) {
      if (attempt === MOST_ATTEMPTS || !/same name already exists/.test(reasonOf(error))) throw error;
      await pauseBefore(attempt, context.signal);
    }
  }
}

interface Shard {
  readonly prirep: string;
  readonly state: string;
  readonly 'unassigned.reason'?: string | null;
  readonly 'unassigned.details'?: string | null;
}

/** Waits until every primary shard of an index that is restored has come. */
export async function waitUntilRestored(
  name: string,
  index: string,
  { server, context }: Pick<Building, 'server' | 'context'>,
): Promise<void> {
  const doing = `cannot restore index ${index}`;
  let pause = FIRST_PAUSE_MS;
  let before = '';
  let moved = context.clock.monotonicMs();
  for (;;) {
    const all = (await server.json({
      method: 'GET',
      path: `/_cat/shards/${pathOfIndex(name)}`,
      query: { format: 'json', h: 'shard,prirep,state,store,unassigned.reason,unassigned.details' },
      doing,
      expected: [404],
    })) as readonly Shard[] | null;
    const primaries = (all ?? []).filter(({ prirep }) => prirep === 'p');
    const failed = primaries.find((shard) => shard['unassigned.reason'] === 'ALLOCATION_FAILED');
    if (failed?.state === 'UNASSIGNED')
      throw targetError(`${doing}: a shard cannot be read: ${(failed['unassigned.details'] ?? '').slice(0, 300)}`, {
        hint: 'ask the server why: GET _cluster/allocation/explain',
      });
    if (primaries.length > 0 && primaries.every(({ state }) => state === 'STARTED')) return;
    const now = JSON.stringify(primaries);
    if (now !== before || primaries.some(({ state }) => state === 'INITIALIZING')) moved = context.clock.monotonicMs();
    before = now;
    if (context.clock.monotonicMs() - moved > PATIENCE_MS)
      throw targetError(`${doing}: its shards find no place`, {
        hint: 'ask the server why: GET _cluster/allocation/explain',
      });
    await sleep(pause, undefined, { signal: context.signal }).catch(() => throwIfAborted(context.signal));
    pause = Math.min(pause * 1.5, LONGEST_PAUSE_MS);
  }
}
