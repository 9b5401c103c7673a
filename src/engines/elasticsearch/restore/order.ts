import { guardError, targetError } from '../../../errors.ts';
import type { RestoreRequest } from '../../engine.ts';
import { type Definitions, readDefinitions } from '../artifact/definitions.ts';
import { listIndices, type Listing } from '../server/list-indices.ts';
import { UNFINISHED } from '../server/own-names.ts';
import type { SearchServer } from '../server/server.ts';
import type { SearchTarget } from '../server/settings.ts';
import { assertStates } from '../states/restore-states.ts';
import { type States, statesToRestore } from '../states/states.ts';
import { assertRoomForStreams, standingStreams } from '../streams/restore.ts';
import { assertReplaceable } from '../streams/set-aside.ts';
import { type WantedStream, wantedStreams } from '../streams/wanted.ts';
import { deleteIndex } from './index-steps.ts';
import { assertMayRestore } from './rights.ts';
import { type WantedIndex, wantedIndices } from './wanted.ts';

/** What a restore shall do, once nothing stands against it. */
export interface RestoreOrder {
  readonly captured: Definitions;
  readonly states: States;
  /** What is built beside its place and then put there. */
  readonly built: readonly WantedIndex[];
  readonly builtStreams: readonly WantedStream[];
  /** What gets documents that it has not got. */
  readonly merged: readonly WantedIndex[];
  readonly mergedStreams: readonly WantedStream[];
  /** Places of streams that some stream has already. */
  readonly existingStreams: ReadonlySet<string>;
}

/** Reads what is wanted and looks at the server. Throws before anything is changed where the restore cannot be done. */
export async function readOrder(request: RestoreRequest<SearchTarget>, server: SearchServer): Promise<RestoreOrder> {
  const { mode, artifacts, destination, snapshot } = request;
  const captured = await readDefinitions(artifacts);
  const states = statesToRestore(destination);
  const byServer = captured.header.snapshot;
  assertStates(states, byServer, mode);
  const wanted = wantedIndices(captured, request);
  const listing = await removeUnfinished(server, wanted, await listIndices(server));
  const streams = wantedStreams(captured.header, request, wanted);
  const existing = standing(wanted, listing);
  const existingStreams = standingStreams(streams, listing);
  assertNothingElse(wanted, listing);
  assertRoomForStreams(streams, listing);
  if (mode === 'new') assertFree([...existing, ...existingStreams]);
  await assertMayRestore(server, { mode, snapshot, wanted, existing, byServer: byServer !== undefined });
  if (mode === 'replace') for (const name of existingStreams) await assertReplaceable(server, name);
  const isMerged = ({ to }: { readonly to: string }): boolean =>
    mode === 'merge' && (existing.has(to) || existingStreams.has(to));
  return {
    captured,
    states,
    built: wanted.filter((one) => !isMerged(one)),
    builtStreams: streams.filter((one) => !isMerged(one)),
    merged: wanted.filter(isMerged),
    mergedStreams: streams.filter(isMerged),
    existingStreams,
  };
}

/** What stands in the places of a restore now, when everything is built beside them. */
export async function lookAgain(
  { built, builtStreams }: RestoreOrder,
  { mode }: Pick<RestoreRequest<SearchTarget>, 'mode'>,
  server: SearchServer,
): Promise<{ readonly indices: ReadonlySet<string>; readonly streams: ReadonlySet<string> }> {
  // What a killed restore had asked for may have come only now.
  const listing = await removeUnfinished(server, built, await listIndices(server));
  const found = { indices: standing(built, listing), streams: standingStreams(builtStreams, listing) };
  if (mode !== 'replace') assertFree([...found.indices, ...found.streams]);
  return found;
}

function assertFree(existing: readonly string[]): void {
  if (existing.length === 0) return;
  throw guardError(`cannot restore: ${existing.join(', ')} is there already`, {
    hint: 'choose --mode replace or --mode merge, or other names with --into rename=from=…,to=…',
  });
}

/** The places of a restore that something has already. */
const standing = (wanted: readonly WantedIndex[], { indices }: Listing): ReadonlySet<string> =>
  new Set(wanted.map(({ to }) => to).filter((to) => indices.some(({ name }) => name === to)));

/** An alias or a data stream with the name of an index keeps that from being made. */
function assertNothingElse(wanted: readonly WantedIndex[], { aliases, dataStreams }: Listing): void {
  for (const { to } of wanted) {
    const behind = aliases.get(to);
    if (behind !== undefined)
      throw targetError(`cannot restore index ${to}: it is an alias of ${behind.join(', ')}`, {
        hint: 'take the alias away, or restore under another name with --into rename=from=…,to=…',
      });
    if (dataStreams.some(({ name }) => name === to))
      throw targetError(`cannot restore index ${to}: a data stream has its name`);
  }
}

/** What a killed restore of the same places had not finished goes; it never counted. */
async function removeUnfinished(
  server: SearchServer,
  wanted: readonly WantedIndex[],
  listing: Listing,
): Promise<Listing> {
  const unfinished = new Set(listing.aliases.get(UNFINISHED));
  const ours = wanted.map(({ to }) => to).filter((to) => unfinished.has(to));
  for (const name of ours) await deleteIndex(server, name);
  return ours.length === 0 ? listing : listIndices(server);
}
