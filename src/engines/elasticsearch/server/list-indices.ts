import type { SearchServer } from './server.ts';

/** An index as a server lists it. */
export interface ListedIndex {
  readonly name: string;
  readonly isOpen: boolean;
  readonly isHidden: boolean;
  /** Kept by the server for itself. */
  readonly isSystem: boolean;
  /** The data stream that it is a part of. */
  readonly dataStream: string | undefined;
}

/** A name under which documents come into the last of several indices. */
export interface ListedStream {
  readonly name: string;
  readonly isHidden: boolean;
  /** What it consists of, the oldest first; documents are added to the last. */
  readonly indices: readonly string[];
}

export interface Listing {
  readonly indices: readonly ListedIndex[];
  readonly dataStreams: readonly ListedStream[];
  readonly aliases: ReadonlyMap<string, readonly string[]>;
}

interface Resolved {
  readonly indices?: readonly {
    readonly name: string;
    readonly attributes?: readonly string[];
    readonly data_stream?: string;
  }[];
  readonly aliases?: readonly { readonly name: string; readonly indices: readonly string[] | string }[];
  readonly data_streams?: readonly { readonly name: string; readonly backing_indices: readonly string[] | string }[];
}

/** Everything that has a name which documents can be asked from. */
export async function listIndices(server: Pick<SearchServer, 'json'>): Promise<Listing> {
  const answer = (await server.json({
    method: 'GET',
    path: '/_resolve/index/*',
    query: { expand_wildcards: 'all' },
    doing: 'cannot list the indices',
  })) as Resolved;
  return {
    indices: (answer.indices ?? []).map(({ name, attributes = [], data_stream: dataStream }) => ({
      name,
      isOpen: attributes.includes('open'),
      isHidden: attributes.includes('hidden'),
      isSystem: attributes.includes('system') || name.startsWith('.'),
      dataStream,
    })),
    dataStreams: await withVisibility(server, answer.data_streams ?? []),
    aliases: new Map((answer.aliases ?? []).map(({ name, indices }) => [name, [indices].flat()])),
  };
}

interface StreamStates {
  readonly metadata?: {
    readonly data_stream?: { readonly data_stream?: Readonly<Record<string, { readonly hidden?: boolean }>> };
  };
}

/** Which streams are hidden stands in the state of the cluster only; OpenSearch hides none. */
async function withVisibility(
  server: Pick<SearchServer, 'json'>,
  streams: NonNullable<Resolved['data_streams']>,
): Promise<readonly ListedStream[]> {
  if (streams.length === 0) return [];
  const states = (await server.json({
    method: 'GET',
    path: '/_cluster/state/metadata',
    query: { filter_path: 'metadata.data_stream.data_stream.*.hidden' },
    doing: 'cannot list the data streams',
    // Who may not read it takes those for hidden that begin with a dot.
    expected: [403],
  })) as StreamStates | null;
  const told = states?.metadata?.data_stream?.data_stream ?? {};
  return streams.map(({ name, backing_indices: indices }) => ({
    name,
    isHidden: told[name]?.hidden === true || name.startsWith('.'),
    indices: [indices].flat(),
  }));
}
