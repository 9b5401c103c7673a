import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Context } from '../../../context.ts';
import { integrityError, reasonOf, targetError, throwIfAborted } from '../../../errors.ts';
import type { Origin } from '../../references.ts';
import { withoutValues } from '../server/explain-error.ts';
import type { SearchServer } from '../server/server.ts';
import { knowsFeatures, type States } from '../states/states.ts';
import {
  BUSY,
  deleteSnapshot,
  flawOf,
  type Mark,
  pathOfSnapshot,
  readSnapshot,
  type ServerSnapshot,
} from './server-snapshot.ts';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;

export interface SnapshotOrder {
  readonly repository: string;
  readonly name: string;
  /** Every one of them, and no others but what the streams consist of. */
  readonly indices: readonly string[];
  readonly dataStreams: readonly string[];
  /** Of the whole cluster. */
  readonly states: States;
  readonly origin: Origin | undefined;
}

/**
 * Has the server take a snapshot and waits until it is whole. What failed, was aborted by somebody or is not all that was
 * asked for is removed again and thrown.
 */
export async function takeSnapshot(
  server: SearchServer,
  order: SnapshotOrder,
  context: Context,
): Promise<ServerSnapshot> {
  const { repository, name } = order;
  if ((await readSnapshot(server, repository, name)) !== null)
    throw targetError(`cannot take a snapshot into repository ${repository} of the server: ${name} is there already`);
  let isOurs = true;
  try {
    await start(server, order).catch(async (error: unknown) => {
      if (!NAME_IN_USE.test(reasonOf(error))) throw error;
      isOurs = false;
      isOurs = isOf(server, order, await readSnapshot(server, repository, name));
      if (!isOurs) throw error;
    });
    const taken = await waitFor(server, order, context);
    assertWhole(taken, order);
    return taken;
  } catch (error) {
    if (!isOurs) throw error;
    try {
      await deleteSnapshot(server.afterwards, repository, name);
    } catch {
      context.emit({
        type: 'warning',
        message: `snapshot ${name} may be left in repository ${repository} of the server; the next apply removes it`,
      });
    }
    throw error;
  }
}

const NAME_IN_USE = /snapshot with the same name/;

/** True for what this order made: something on the way to the server sent it twice. */
const isOf = (server: SearchServer, { origin }: SnapshotOrder, found: ServerSnapshot | null): boolean =>
  origin !== undefined && isDeepStrictEqual(found?.metadata?.bkp, markOf(server, origin));

/** Whose a snapshot is, and of which cluster: others that reach its place see it too. */
const markOf = ({ cluster }: SearchServer, origin: Origin | undefined): Mark => ({ ...origin, cluster });

async function start(
  server: SearchServer,
  { repository, name, indices, dataStreams, states, origin }: SnapshotOrder,
): Promise<void> {
  await server.bytes({
    method: 'PUT',
    path: pathOfSnapshot(repository, name),
    query: { wait_for_completion: false },
    body: JSON.stringify({
      indices: [...indices, ...dataStreams],
      ignore_unavailable: false,
      include_global_state: states.global,
      partial: false,
      ...(knowsFeatures(server.version)
        ? { feature_states: states.features.length === 0 ? ['none'] : states.features }
        : {}),
      metadata: { bkp: markOf(server, origin) },
    }),
    doing: `cannot take a snapshot into repository ${repository} of the server`,
    repeatable: false,
    busyWhile: BUSY,
  });
}

async function waitFor(
  server: SearchServer,
  { repository, name, origin }: SnapshotOrder,
  context: Context,
): Promise<ServerSnapshot> {
  let pause = FIRST_PAUSE_MS;
  let before = -1;
  for (;;) {
    const found = await readSnapshot(server, repository, name);
    if (found === null)
      throw targetError(`cannot take a snapshot into repository ${repository} of the server: it vanished`, {
        hint: 'somebody deleted it, or the server cannot write there; its log tells',
      });
    // A server that fails may list what it did not begin.
    if (found.state !== 'IN_PROGRESS' && found.state !== 'STARTED' && found.state !== 'INIT') return found;
    const bytes = await bytesDone(server, repository, name);
    // Time limits take it as a sign that something goes on.
    if (bytes.bytes !== before) context.emit({ type: 'progress', subject: origin?.target ?? name, ...bytes });
    before = bytes.bytes;
    await sleep(pause, undefined, { signal: context.signal }).catch(() => throwIfAborted(context.signal));
    pause = Math.min(pause * 1.5, LONGEST_PAUSE_MS);
  }
}

interface Progress {
  readonly snapshots?: readonly {
    readonly stats?: {
      readonly processed?: { readonly size_in_bytes?: number };
      readonly incremental?: { readonly size_in_bytes?: number };
    };
  }[];
}

async function bytesDone(
  server: SearchServer,
  repository: string,
  name: string,
): Promise<{ readonly bytes: number; readonly totalBytes: number | null }> {
  const answer = (await server.json({
    method: 'GET',
    path: `${pathOfSnapshot(repository, name)}/_status`,
    doing: 'cannot read the progress of a snapshot',
    expected: [400, 404, 500],
  })) as Progress | null;
  const stats = answer?.snapshots?.[0]?.stats;
  return { bytes: stats?.processed?.size_in_bytes ?? 0, totalBytes: stats?.incremental?.size_in_bytes ?? null };
}

function assertWhole(taken: ServerSnapshot, { repository, indices, dataStreams, states }: SnapshotOrder): void {
  const doing = `cannot trust the snapshot that the server took into repository ${repository}`;
  const flaw = flawOf(taken);
  if (flaw !== null) throw integrityError(`${doing}: ${withoutValues(flaw)}`);
  const missing = [
    ...indices.filter((name) => !taken.indices.includes(name)),
    ...dataStreams.filter((name) => taken.data_streams?.includes(name) !== true),
    ...(states.global && taken.include_global_state !== true ? ['the global state'] : []),
  ];
  if (missing.length > 0) throw integrityError(`${doing}: it lacks ${missing.join(', ')}`);
}
