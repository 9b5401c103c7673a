import type { Context } from '../../../context.ts';
import { guardError, targetError } from '../../../errors.ts';
import type { RestoreOutcome, RestoreRequest } from '../../engine.ts';
import { checkExport } from '../artifact/check.ts';
import { factsOfHeader, factsOfIndices, readDefinitions } from '../artifact/definitions.ts';
import type { SnapshotPlace } from '../artifact/index-header.ts';
import { listIndices, type Listing } from '../server/list-indices.ts';
import { newName, UNFINISHED } from '../server/own-names.ts';
import { type SearchServer, withServer } from '../server/server.ts';
import type { SearchTarget } from '../server/settings.ts';
import { findSnapshot } from '../snapshot/find-snapshot.ts';
import { documentsBeside } from '../snapshot/read-beside.ts';
import { restoreBeside, type RestoreSource } from '../snapshot/restore-beside.ts';
import { afterStates, assertStates, restoreStates } from '../states/restore-states.ts';
import { hasStates, statesToRestore } from '../states/states.ts';
import { tryDocuments } from '../streams/fill.ts';
import { checkTemplates } from '../streams/check-templates.ts';
import { assertRoomForStreams, documentsIn, lookInside, mergeStream, standingStreams } from '../streams/restore.ts';
import { type PlacedStreams, placeStreams } from '../streams/put-in-place.ts';
import { assertReplaceable } from '../streams/set-aside.ts';
import { definitionsOfAll } from '../streams/templates.ts';
import { type WantedStream, wantedStreams } from '../streams/wanted.ts';
import { buildBeside, type Building } from './build.ts';
import { removeGlobals, restoreGlobals } from './globals.ts';
import { closeIndex, deleteIndex } from './index-steps.ts';
import { mergeIndex, type MergeResult, takeBackAfter } from './merge.ts';
import { assertMayRestore } from './rights.ts';
import { swapIn } from './swap.ts';
import { type WantedIndex, wantedIndices } from './wanted.ts';

type Request = RestoreRequest<SearchTarget>;

/**
 * Builds every index beside its place, from documents or by the server from its own snapshot, and looks whether all is
 * there, then puts them into place; what a merge finds gets only the documents that are missing.
 */
export const restoreIndices = (request: Request, context: Context): Promise<RestoreOutcome> =>
  withServer(request.destination, context, async (server) => {
    const { mode, artifacts, paths, destination, expectedFacts, snapshot, skipConflicts } = request;
    const captured = await readDefinitions(artifacts);
    const states = statesToRestore(destination);
    assertStates(states, captured.header.snapshot, mode);
    const wanted = wantedIndices(captured, request);
    const listing = await removeUnfinished(server, wanted, await listIndices(server));
    const streams = wantedStreams(captured.header, request, wanted);
    const existing = standing(wanted, listing);
    const existingStreams = standingStreams(streams, listing);
    assertNothingElse(wanted, listing);
    assertRoomForStreams(streams, listing);
    if (mode === 'new') assertFree([...existing, ...existingStreams]);
    await assertMayRestore(server, {
      mode,
      snapshot,
      wanted,
      existing,
      byServer: captured.header.snapshot !== undefined,
    });
    if (mode === 'replace') for (const name of existingStreams) await assertReplaceable(server, name);
    const warnings: string[] = [];
    const warn = (message: string): void => void warnings.push(message);
    const isBuilt = ({ to }: WantedIndex): boolean => mode !== 'merge' || !existing.has(to);
    const built = wanted.filter(isBuilt);
    const builtStreams = streams.filter(({ to }) => mode !== 'merge' || !existingStreams.has(to));
    const atOnce = destination.jobs ?? 2;
    // Into what is there nothing goes that is not known to be whole.
    if (built.length + builtStreams.length < wanted.length + streams.length)
      await checkExport(
        artifacts,
        [...wanted, ...streams].map(({ name }) => name),
      );
    const building: Building = { server, context, captured: captured.header.server, atOnce, expectedFacts, warn };
    const build = await builderOf(captured.header.snapshot, building);
    const restored: Record<string, number> = {};
    const conflicts: string[] = [];
    const merged: { readonly to: string; readonly result: MergeResult }[] = [];
    let made: readonly string[] = [];
    try {
      const whole: WantedIndex[] = [];
      for (const planned of built) {
        const index = await build.whole(planned);
        whole.push(index);
        restored[`index ${index.to}`] = index.documents;
        if (index.lostAliases.length > 0)
          warn(`index ${index.to}: aliases that mean ${index.name} are left out: ${index.lostAliases.join(', ')}`);
      }
      const wholeStreams: WantedStream[] = [];
      for (const planned of builtStreams) {
        const stream = build.source === null ? planned : await lookInside(planned, build.whole, server);
        wholeStreams.push(stream);
        restored[`data stream ${stream.to}`] = documentsIn(stream);
        if (stream.lostAliases.length > 0)
          warn(
            `data stream ${stream.to}: aliases that mean ${stream.name} are left out: ${stream.lostAliases.join(', ')}`,
          );
      }
      const templates = streams.map(({ template }) => template);
      made = await restoreGlobals(
        paths.length === 0 ? captured.definitions : definitionsOfAll(templates, captured.definitions),
        server,
        warn,
      );
      await checkTemplates(server, wholeStreams, { isNeeded: build.source === null, warn });
      if (build.source === null)
        for (const stream of wholeStreams.filter(({ to }) => existingStreams.has(to)))
          await tryDocuments(stream, { server, context, atOnce });
      if (made.length > 0) restored['templates, pipelines and scripts'] = made.length;
      for (const planned of wanted.filter((one) => !isBuilt(one))) {
        const index = await build.forMerge(planned);
        const result = await mergeIndex(index, { server, context, atOnce, skipConflicts });
        merged.push({ to: index.to, result });
        restored[`index ${index.to}`] = result.added;
        conflicts.push(...result.conflicts);
      }
      for (const stream of streams.filter((one) => !builtStreams.includes(one))) {
        restored[`data stream ${stream.to}`] = 0;
        await mergeStream(stream, build.forMerge, { server, context, atOnce, skipConflicts }, (result) => {
          merged.push({ to: stream.to, result });
          restored[`data stream ${stream.to}`] = (restored[`data stream ${stream.to}`] ?? 0) + result.added;
          conflicts.push(...result.conflicts);
        });
      }
      // What a killed restore had asked for may have come only now.
      const now = await removeUnfinished(server, built, await listIndices(server));
      const found = standing(built, now);
      const foundStreams = standingStreams(builtStreams, now);
      if (mode !== 'replace') assertFree([...found, ...foundStreams]);
      const placing = { server, context, snapshot, source: build.source, existing: foundStreams, atOnce };
      const placeAll = (): Promise<PlacedStreams> => placeStreams(wholeStreams, placing);
      const lastly = (): Promise<PlacedStreams> =>
        hasStates(states) && build.source !== null
          ? afterStates(restoreStates(server, build.source, states, warn), placeAll)
          : placeAll();
      const keptOld = await swapIn(whole, { server, context, snapshot, existing: found, warn, lastly });
      for (const { to } of whole.filter(({ isClosed }) => isClosed === true)) await closeIndex(server, to);
      const isWhole = mode !== 'merge' && paths.length === 0;
      const restoredFacts =
        build.source === null
          ? factsOfHeader({ indices: whole, dataStreams: wholeStreams })
          : factsOfIndices(whole, wholeStreams);
      const facts = isWhole ? restoredFacts : null;
      return { facts, keptOld, restored, conflicts, warnings };
    } catch (error) {
      for (const { to, result } of merged.toReversed()) await takeBackAfter(error, to, result.takeBack);
      await removeGlobals(made, server.afterwards);
      throw error;
    } finally {
      for (const { result } of merged) await result.close();
      for (const { to } of [...wanted, ...streams.flatMap(({ indices }) => indices)])
        await deleteIndex(server.afterwards, newName(to)).catch(() => undefined);
    }
  });

interface Builder {
  /** Makes an index beside its place, and gives it with what is in it. */
  readonly whole: (wanted: WantedIndex) => Promise<WantedIndex>;
  /** Gives an index with documents that can be read. */
  readonly forMerge: (wanted: WantedIndex) => Promise<WantedIndex>;
  /** Where data streams and states of the cluster come from; null for an export. */
  readonly source: RestoreSource | null;
}

async function builderOf(place: SnapshotPlace | undefined, building: Building): Promise<Builder> {
  if (place === undefined)
    return {
      whole: async (wanted) => {
        await buildBeside(wanted, building);
        return wanted;
      },
      forMerge: async (wanted) => wanted,
      source: null,
    };
  const repository = await findSnapshot(building.server, place);
  const source: RestoreSource = { repository, name: place.name };
  const whole = (wanted: WantedIndex): Promise<WantedIndex> => restoreBeside(wanted, building, source);
  return {
    source,
    whole,
    forMerge: async (wanted) => {
      const there = await whole(wanted);
      return { ...there, artifact: await documentsBeside(there, building) };
    },
  };
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
