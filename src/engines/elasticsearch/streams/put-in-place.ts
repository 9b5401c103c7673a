import type { Context } from '../../../context.ts';
import { BkpError, integrityError, reasonOf, throwIfAborted } from '../../../errors.ts';
import type { SetAside } from '../../engine.ts';
import { closeIndex, contentsOf } from '../restore/index-steps.ts';
import type { SearchServer } from '../server/server.ts';
import { type RestoreSource, waitUntilRestored } from '../snapshot/restore-beside.ts';
import { pathOfSnapshot } from '../snapshot/server-snapshot.ts';
import { listIndices } from '../server/list-indices.ts';
import { fillStream, makeStream } from './fill.ts';
import { type AsideStream, deleteStream, setStreamAside } from './set-aside.ts';
import type { WantedStream } from './wanted.ts';

export interface Placing {
  readonly server: SearchServer;
  readonly context: Context;
  readonly snapshot: string;
  /** Null where streams are filled from an export. */
  readonly source: RestoreSource | null;
  /** Streams that stand where others shall. */
  readonly existing: ReadonlySet<string>;
  /** Bulk requests under way at once. */
  readonly atOnce: number;
}

/** What is known of one stream on its way. */
interface Passage {
  readonly wanted: WantedStream;
  readonly aside: AsideStream | null;
  /** `going`, `asked`: the server was asked to delete, or to restore, and may have done it although no answer came. */
  state: 'untouched' | 'going' | 'gone' | 'asked' | 'made';
}

/** Streams in their places. */
export interface PlacedStreams {
  readonly kept: readonly SetAside[];
  /** After a failure: takes away what is new. Gives the failure, with where to find what a stream held that is gone. */
  readonly takeBack: (error: unknown) => Promise<unknown>;
}

/**
 * Has the server restore data streams where they shall stand, or fills them there; everything in them was tried beside.
 * What an old stream held is linked under other names first: no server puts an old stream together again.
 */
export async function placeStreams(streams: readonly WantedStream[], placing: Placing): Promise<PlacedStreams> {
  const { server, context, existing, snapshot } = placing;
  const passages: Passage[] = [];
  const takeBack = (error: unknown): Promise<unknown> => takeBackAll(passages, server, error);
  try {
    for (const wanted of streams) {
      throwIfAborted(context.signal);
      const aside = existing.has(wanted.to) ? await setStreamAside(server, wanted.to, snapshot) : null;
      passages.push({ wanted, aside, state: 'untouched' });
    }
    for (const passage of passages) {
      throwIfAborted(context.signal);
      if (passage.aside !== null) {
        passage.state = 'going';
        await deleteStream(server, passage.wanted.to);
        passage.state = 'gone';
      }
      await place(passage, placing);
    }
    return { kept: passages.flatMap(({ aside }) => aside?.kept ?? []), takeBack };
  } catch (error) {
    throw await takeBack(error);
  }
}

async function place(passage: Passage, placing: Placing): Promise<void> {
  const { server, source } = placing;
  const { to, aliases } = passage.wanted;
  if (source === null) {
    passage.state = 'asked';
    await makeStream(server, to);
    passage.state = 'made';
    await fillStream(passage.wanted, placing);
  } else await restoreInPlace(passage, source, placing);
  if (aliases.size === 0) return;
  const actions = [...aliases].map(
    ([alias, body]) => `{"add":{"index":${JSON.stringify(to)},"alias":${JSON.stringify(alias)}${fieldsAfter(body)}}}`,
  );
  await server.bytes({
    method: 'POST',
    path: '/_aliases',
    body: `{"actions":[${actions.join(',')}]}`,
    doing: `cannot restore the aliases of data stream ${to}`,
    isFinished: true,
  });
}

async function restoreInPlace(passage: Passage, source: RestoreSource, { server, context }: Placing): Promise<void> {
  const { name, to, indices } = passage.wanted;
  passage.state = 'asked';
  await server.bytes({
    method: 'POST',
    path: `${pathOfSnapshot(source.repository, source.name)}/_restore`,
    query: { wait_for_completion: false },
    body: JSON.stringify({
      indices: [name],
      // Names of streams hold no backslash, and no dollar is in the name but where somebody wants one.
      ...(name === to ? {} : { rename_pattern: `^\\Q${name}\\E`, rename_replacement: to.replaceAll('$', '\\$') }),
      include_global_state: false,
      include_aliases: false,
      partial: false,
    }),
    doing: `cannot restore data stream ${name} from snapshot ${source.name}`,
    repeatable: false,
    busyWhile: /concurrent_snapshot_execution_exception/,
    isFinished: true,
  });
  passage.state = 'made';
  for (const index of indices) {
    await waitUntilRestored(index.to, index.name, { server, context });
    const { documents } = await contentsOf(server, index.to);
    // Somebody may write to it already.
    if (documents < index.documents)
      throw integrityError(
        `cannot restore data stream ${to}: ${documents} of ${index.documents} documents are in ${index.to}`,
      );
  }
  for (const { to: part } of indices.filter(({ isClosed }) => isClosed === true)) await closeIndex(server, part);
}

/** The fields of an object, to come after others. */
function fieldsAfter(object: Buffer): string {
  const inside = object.toString().trim().slice(1, -1).trim();
  return inside === '' ? '' : `,${inside}`;
}

async function takeBackAll(passages: readonly Passage[], server: SearchServer, error: unknown): Promise<unknown> {
  const told: string[] = [];
  const lost: string[] = [];
  for (const passage of passages.toReversed()) {
    const { wanted, aside, state } = passage;
    let isOldThere = state === 'untouched';
    try {
      // What stands there without an answer of the server may be somebody's own by now.
      if (state === 'made') await deleteStream(server.afterwards, wanted.to);
      if (state === 'going') {
        const { indices } = await listIndices(server.afterwards);
        isOldThere = indices.some(({ name }) => aside?.indices.includes(name));
      }
      if (isOldThere) await aside?.undo();
    } catch (failure) {
      told.push(`data stream ${wanted.to} stays as it is: ${reasonOf(failure)}`);
    }
    if (aside === null || isOldThere) continue;
    told.push(`data stream ${wanted.to} is gone`);
    lost.push(...aside.kept.map(({ reference }) => reference));
  }
  if (told.length === 0) return error;
  const hint = `what it held is in ${lost.join(', ')}; stop what writes into it and restore it once more, or copy that back with _reindex`;
  const code = error instanceof BkpError ? error.code : 'target';
  const reason = [reasonOf(error), ...told].join('; ');
  return new BkpError(code, reason, { ...(lost.length === 0 ? {} : { hint }), cause: error });
}
