import { Readable } from 'node:stream';
import type { Context } from '../../../context.ts';
import { targetError, throwIfAborted } from '../../../errors.ts';
import type { Capture, OutgoingArtifact, Problem } from '../../engine.ts';
import { documentCounter } from '../artifact/count-documents.ts';
import { definitionsReader, factsOfHeader, writeDefinitions } from '../artifact/definitions.ts';
import {
  DEFINITIONS_FORMAT,
  DEFINITIONS_NAME,
  type DefinitionsHeader,
  DOCUMENTS_FORMAT,
  partName,
  pathOfIndex,
  STREAM_FORMAT,
} from '../artifact/index-header.ts';
import { listIndices } from '../server/list-indices.ts';
import { openServer, type SearchServer } from '../server/server.ts';
import type { SearchTarget } from '../server/settings.ts';
import { describeVersion } from '../server/version.ts';
import { globalsFor } from '../streams/globals-for.ts';
import { describeStreams, type DescribedStream } from '../streams/look-at.ts';
import { chooseIndices } from './choose-indices.ts';
import { closePoints, openPoint, type Point } from './points.ts';
import { readDocuments } from './read-documents.ts';
import { definitionOf, describeIndex, type DescribedIndex, headerOf, judgeSource } from './read-index.ts';
import { unseen } from './rights.ts';

/** Holds a point in time of every shard, so that all indices are as they were within one moment, and reads them one by one. */
export async function captureExport(target: SearchTarget, context: Context): Promise<Capture> {
  const server = await openServer(target, context);
  const points: Point[] = [];
  const close = async (): Promise<void> => {
    await closePoints(server, points);
    await server.close();
  };
  try {
    const { described, streams, warnings } = await describeChosen(target, server);
    const begun = context.clock.now();
    const stale = await refreshAll(server, described);
    for (const { name, shards } of described) {
      for (let shard = 0; shard < shards; shard += 1) {
        throwIfAborted(context.signal);
        points.push(await openPoint(server, name, shard));
      }
    }
    const ended = context.clock.now();
    // A mapping only grows: what documents of the points need is in one that was read after them.
    const indices: DescribedIndex[] = [];
    for (const { name } of described) indices.push(await describeIndex(server, name));
    const globals = await globalsFor(target, server, streams);
    const held = (name: string): number =>
      points.filter(({ index }) => index === name).reduce((sum, { documents }) => sum + documents, 0);
    const all = new Map(indices.map((index) => [index.name, headerOf(index, held(index.name))]));
    const dataStreams = streams.map((stream) => ({
      ...stream,
      indices: stream.indices.flatMap((name) => all.get(name) ?? []),
    }));
    const parts = new Set(streams.flatMap((stream) => stream.indices));
    const headers = [...all.values()].filter(({ name }) => !parts.has(name));
    const definitions = [...globals, ...indices.filter(({ name }) => !parts.has(name)).map(definitionOf)];
    const header: DefinitionsHeader = {
      format: DEFINITIONS_FORMAT,
      server: server.version,
      indices: headers,
      ...(dataStreams.length === 0 ? {} : { dataStreams }),
      definitions: definitions.length,
    };
    const bytes = writeDefinitions({ header, definitions });
    return {
      artifacts: [
        {
          name: DEFINITIONS_NAME,
          extension: 'ndjson',
          format: DEFINITIONS_FORMAT,
          source: { kind: 'stream', open: () => Readable.from([bytes], { objectMode: false }) },
          estimatedBytes: bytes.length,
          inspect: { open: definitionsReader },
        },
        // An index without documents leaves nothing that could be stored.
        ...headers
          .filter(({ documents }) => documents > 0)
          .map(({ name }) => documentsOf(name, { target, server, points, context })),
        ...dataStreams.flatMap(({ name: stream, indices: own }) =>
          own.flatMap(({ name, documents }, position) => {
            const part = { stream, name: partName(stream, position) };
            return documents === 0 ? [] : [documentsOf(name, { target, server, points, context, part })];
          }),
        ),
      ],
      pointInTime: [begun, ended],
      versions: { server: describeVersion(server.version), tool: null },
      warnings: [...(await unseen(server, target)), ...warnings, ...stale],
      facts: async () => factsOfHeader(header),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

interface Reading {
  readonly target: SearchTarget;
  readonly server: SearchServer;
  readonly points: Point[];
  readonly context: Context;
  /** The data stream that the index is a part of, and what its documents are called there. */
  readonly part?: { readonly stream: string; readonly name: string };
}

function documentsOf(name: string, { target, server, points, context, part }: Reading): OutgoingArtifact {
  const open = (): Readable => {
    const own = points.filter(({ index }) => index === name);
    const after = points.findLastIndex(({ index }) => index === name) + 1;
    const lines = readDocuments({
      server,
      points: own,
      waiting: () => points.slice(after),
      // What is made in a stream has no version of its own.
      withVersion: target.versions === true && part === undefined,
      stream: part?.stream,
      atOnce: target.jobs ?? 2,
      monotonicMs: () => context.clock.monotonicMs(),
    });
    return Readable.from(lines, { objectMode: false });
  };
  return {
    name: part?.name ?? name,
    part: part?.name ?? name,
    extension: 'ndjson',
    format: part === undefined ? DOCUMENTS_FORMAT : STREAM_FORMAT,
    source: { kind: 'stream', open },
    estimatedBytes: null,
    inspect: { open: documentCounter },
  };
}

async function describeChosen(
  target: SearchTarget,
  server: SearchServer,
): Promise<{
  /** What the streams consist of, too. */
  readonly described: readonly DescribedIndex[];
  readonly streams: readonly DescribedStream[];
  readonly warnings: readonly string[];
}> {
  const { indices, streams: chosen, problems } = chooseIndices(target, await listIndices(server));
  refuse(problems);
  const streams = await describeStreams(server, chosen);
  const described: DescribedIndex[] = [];
  for (const name of [...indices.map((index) => index.name), ...streams.flatMap((stream) => stream.indices)])
    described.push(await describeIndex(server, name));
  const judged = described.map(judgeSource);
  refuse(judged.flatMap((one) => one.problems));
  return { described, streams, warnings: judged.flatMap((one) => one.warnings) };
}

/** A point in time holds what was refreshed, which may be long ago. Tells of indices that this user may not refresh. */
async function refreshAll(server: SearchServer, indices: readonly DescribedIndex[]): Promise<readonly string[]> {
  const stale: string[] = [];
  for (const { name } of indices) {
    const doing = `cannot refresh index ${name}`;
    const answer = await server.bytes({
      method: 'POST',
      path: `/${pathOfIndex(name)}/_refresh`,
      doing,
      expected: [403],
    });
    if (answer === null)
      stale.push(`index ${name} may not be refreshed: what was written since its last refresh is not in the export`);
  }
  return stale;
}

/** Throws the first of what keeps a capture from starting, with all of them in its message. */
export function refuse(problems: readonly Problem[]): void {
  const [first] = problems;
  if (first === undefined) return;
  const message = problems.map((problem) => problem.message).join('; ');
  throw targetError(`cannot capture: ${message}`, { hint: first.hint });
}
