import type { Context } from '../../../context.ts';
import type { RestoreOutcome, RestoreRequest, SetAside } from '../../engine.ts';
import { checkExport } from '../artifact/check.ts';
import { factsOfHeader, factsOfIndices } from '../artifact/definitions.ts';
import { newName } from '../server/own-names.ts';
import { type SearchServer, withServer } from '../server/server.ts';
import type { SearchTarget } from '../server/settings.ts';
import { afterStates, restoreStates } from '../states/restore-states.ts';
import { hasStates } from '../states/states.ts';
import { checkTemplates } from '../streams/check-templates.ts';
import { tryDocuments } from '../streams/fill.ts';
import { type PlacedStreams, placeStreams } from '../streams/put-in-place.ts';
import { documentsIn, lookInside, mergeStream } from '../streams/restore.ts';
import { definitionsOfAll } from '../streams/templates.ts';
import type { WantedStream } from '../streams/wanted.ts';
import { type Builder, openBuilder } from './builder.ts';
import { removeGlobals, restoreGlobals } from './globals.ts';
import { closeIndex, deleteIndex } from './index-steps.ts';
import { mergeIndex, type MergeResult, takeBackAfter } from './merge.ts';
import { lookAgain, readOrder, type RestoreOrder } from './order.ts';
import { swapIn } from './swap.ts';
import type { WantedIndex } from './wanted.ts';

type Request = RestoreRequest<SearchTarget>;

/** A restore on its way: what it works with, and what it has to tell. */
interface Restoring {
  readonly request: Request;
  readonly order: RestoreOrder;
  readonly server: SearchServer;
  readonly context: Context;
  readonly build: Builder;
  readonly atOnce: number;
  readonly restored: Record<string, number>;
  readonly conflicts: string[];
  readonly warn: (message: string) => void;
}

/** What stands beside its place, with what is in it. */
interface Built {
  readonly indices: readonly WantedIndex[];
  readonly streams: readonly WantedStream[];
}

/**
 * Builds every index beside its place, from documents or by the server from its own snapshot, and looks whether all is
 * there, then puts them into place; what a merge finds gets only the documents that are missing.
 */
export const restoreIndices = (request: Request, context: Context): Promise<RestoreOutcome> =>
  withServer(request.destination, context, async (server) => {
    const order = await readOrder(request, server);
    const { captured, built, merged, mergedStreams } = order;
    // Into what is there nothing goes that is not known to be whole.
    if (merged.length + mergedStreams.length > 0)
      await checkExport(
        request.artifacts,
        allOf(order).map(({ name }) => name),
      );
    const warnings: string[] = [];
    const warn = (message: string): void => void warnings.push(message);
    const atOnce = request.destination.jobs ?? 2;
    const { expectedFacts } = request;
    const building = { server, context, captured: captured.header.server, atOnce, expectedFacts, warn };
    const build = await openBuilder(captured.header.snapshot, building);
    const [restored, conflicts]: [Record<string, number>, string[]] = [{}, []];
    const restoring: Restoring = { request, order, server, context, build, atOnce, restored, conflicts, warn };
    const results: MergeOf[] = [];
    let made: readonly string[] = [];
    try {
      const whole = await buildAll(restoring);
      made = await makeGlobals(restoring);
      await tryStreams(restoring, whole);
      await mergeAll(restoring, results);
      const keptOld = await putInPlace(restoring, whole);
      for (const { to } of whole.indices.filter(({ isClosed }) => isClosed === true)) await closeIndex(server, to);
      return { facts: factsOf(restoring, whole), keptOld, restored, conflicts, warnings };
    } catch (error) {
      for (const { to, result } of results.toReversed()) await takeBackAfter(error, to, result.takeBack);
      await removeGlobals(made, server.afterwards);
      throw error;
    } finally {
      for (const { result } of results) await result.close();
      const parts = [...order.builtStreams, ...mergedStreams].flatMap(({ indices }) => indices);
      for (const { to } of [...built, ...merged, ...parts])
        await deleteIndex(server.afterwards, newName(to)).catch(() => undefined);
    }
  });

const allOf = ({ built, merged, builtStreams, mergedStreams }: RestoreOrder): readonly { readonly name: string }[] => [
  ...built,
  ...merged,
  ...builtStreams,
  ...mergedStreams,
];

async function buildAll({ order, build, server, restored, warn }: Restoring): Promise<Built> {
  const leftOut = (what: string, { to, name, lostAliases }: WantedIndex | WantedStream): void => {
    if (lostAliases.length > 0)
      warn(`${what} ${to}: aliases that mean ${name} are left out: ${lostAliases.join(', ')}`);
  };
  const indices: WantedIndex[] = [];
  for (const planned of order.built) {
    const index = await build.whole(planned);
    indices.push(index);
    restored[`index ${index.to}`] = index.documents;
    leftOut('index', index);
  }
  const streams: WantedStream[] = [];
  for (const planned of order.builtStreams) {
    // The documents of an export are tried when the templates are there.
    const stream = build.source === null ? planned : await lookInside(planned, build.whole, server);
    streams.push(stream);
    restored[`data stream ${stream.to}`] = documentsIn(stream);
    leftOut('data stream', stream);
  }
  return { indices, streams };
}

/** Makes templates, pipelines and scripts that are missing. Gives what was made. */
async function makeGlobals({ request, order, server, restored, warn }: Restoring): Promise<readonly string[]> {
  const { definitions } = order.captured;
  const templates = [...order.builtStreams, ...order.mergedStreams].map(({ template }) => template);
  const wanted = request.paths.length === 0 ? definitions : definitionsOfAll(templates, definitions);
  const made = await restoreGlobals(wanted, server, warn);
  if (made.length > 0) restored['templates, pipelines and scripts'] = made.length;
  return made;
}

/** Looks whether streams can live by the templates that are there now. */
async function tryStreams(
  { order, server, context, build, atOnce, warn }: Restoring,
  { streams }: Built,
): Promise<void> {
  const isExport = build.source === null;
  await checkTemplates(server, streams, { isNeeded: isExport, warn });
  for (const stream of isExport ? streams : [])
    if (order.existingStreams.has(stream.to)) await tryDocuments(stream, { server, context, atOnce });
}

interface MergeOf {
  readonly to: string;
  readonly result: MergeResult;
}

async function mergeAll(restoring: Restoring, results: MergeOf[]): Promise<void> {
  const { request, order, server, context, build, atOnce, restored, conflicts } = restoring;
  const merging = { server, context, atOnce, skipConflicts: request.skipConflicts };
  const take = (what: string, to: string, result: MergeResult): void => {
    results.push({ to, result });
    restored[`${what} ${to}`] = (restored[`${what} ${to}`] ?? 0) + result.added;
    conflicts.push(...result.conflicts);
  };
  for (const planned of order.merged) {
    const index = await build.forMerge(planned);
    take('index', index.to, await mergeIndex(index, merging));
  }
  for (const stream of order.mergedStreams) {
    restored[`data stream ${stream.to}`] = 0;
    await mergeStream(stream, build.forMerge, merging, (result) => take('data stream', stream.to, result));
  }
}

async function putInPlace(restoring: Restoring, { indices, streams }: Built): Promise<readonly SetAside[]> {
  const { request, order, server, context, build, atOnce, warn } = restoring;
  const { snapshot } = request;
  const { source } = build;
  const existing = await lookAgain(order, request, server);
  const placeAll = (): Promise<PlacedStreams> =>
    placeStreams(streams, { server, context, snapshot, source, existing: existing.streams, atOnce });
  const lastly = (): Promise<PlacedStreams> =>
    hasStates(order.states) && source !== null
      ? afterStates(restoreStates(server, source, order.states, warn), placeAll)
      : placeAll();
  return swapIn(indices, { server, context, snapshot, existing: existing.indices, warn, lastly });
}

/** What can be compared with the capture: nothing where only a part of it came back. */
function factsOf({ request, build }: Restoring, { indices, streams }: Built): RestoreOutcome['facts'] {
  if (request.mode === 'merge' || request.paths.length > 0) return null;
  return build.source === null ? factsOfHeader({ indices, dataStreams: streams }) : factsOfIndices(indices, streams);
}
