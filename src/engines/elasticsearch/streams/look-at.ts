import type { IndexHeader, StreamHeader } from '../artifact/index-header.ts';
import { pathOfIndex } from '../artifact/index-header.ts';
import { fieldsOf } from '../json/walk.ts';
import { inOneLine } from '../json/one-line.ts';
import { type ListedStream, listIndices } from '../server/list-indices.ts';
import type { SearchServer } from '../server/server.ts';
import { judge, lookAt, type Looked } from '../snapshot/look-at.ts';
import { listTemplates, templateFor } from './templates.ts';

/** A data stream before its snapshot. */
export interface LookedStream extends Omit<StreamHeader, 'indices'> {
  readonly indices: readonly Looked[];
}

/** Looks at data streams and at everything that they consist of. */
export async function lookAtStreams(
  server: SearchServer,
  streams: readonly ListedStream[],
  isOpen: (index: string) => boolean,
): Promise<readonly LookedStream[]> {
  const looked: LookedStream[] = [];
  for (const { indices, ...stream } of await describeStreams(server, streams)) {
    const parts: Looked[] = [];
    for (const index of indices) parts.push(await lookAt(server, index, isOpen(index)));
    looked.push({ ...stream, indices: parts });
  }
  return looked;
}

/** A data stream with the names of what it consists of. */
export interface DescribedStream extends Omit<StreamHeader, 'indices'> {
  readonly indices: readonly string[];
}

export async function describeStreams(
  server: SearchServer,
  streams: readonly ListedStream[],
): Promise<readonly DescribedStream[]> {
  if (streams.length === 0) return [];
  const templates = await listTemplates(server);
  const described: DescribedStream[] = [];
  for (const { name, indices } of streams)
    described.push({ name, indices, template: templateFor(name, templates), aliases: await aliasesOf(server, name) });
  return described;
}

/** OpenSearch has none, and no answer to this. */
async function aliasesOf(server: SearchServer, stream: string): Promise<Readonly<Record<string, string>>> {
  const answer = await server.bytes({
    method: 'GET',
    path: `/${pathOfIndex(stream)}/_alias`,
    doing: `cannot read the aliases of data stream ${stream}`,
    expected: [404],
  });
  const told = fieldsOf(answer ?? EMPTY).get(stream) ?? EMPTY;
  const aliases = fieldsOf(fieldsOf(told).get('aliases') ?? EMPTY);
  return Object.fromEntries([...aliases].map(([name, value]) => [name, inOneLine(value).toString()]));
}

/**
 * What of the streams a snapshot has: a stream may have begun a new index, or dropped its oldest, before the server came
 * to it.
 */
export async function judgeStreams(
  server: SearchServer,
  looked: readonly LookedStream[],
  taken: readonly string[],
): Promise<readonly StreamHeader[]> {
  if (looked.length === 0) return [];
  const { dataStreams } = await listIndices(server);
  const headers: StreamHeader[] = [];
  for (const { indices, ...stream } of looked) {
    const now = dataStreams.find(({ name }) => name === stream.name)?.indices ?? [];
    const before = new Map(indices.map((one) => [one.described.name, one]));
    const gone = [...before.keys()].filter((name) => !now.includes(name));
    const parts: IndexHeader[] = [];
    for (const name of [...gone, ...now].filter((one) => taken.includes(one))) {
      const known = before.get(name);
      parts.push(
        known === undefined
          ? { ...(await judge(server, await lookAt(server, name, true))), isUncounted: true }
          : await judge(server, known),
      );
    }
    headers.push({ ...stream, indices: parts });
  }
  return headers;
}

const EMPTY = Buffer.from('{}');
