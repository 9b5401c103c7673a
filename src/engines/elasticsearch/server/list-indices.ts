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

export interface Listing {
  readonly indices: readonly ListedIndex[];
  readonly dataStreams: readonly string[];
  readonly aliases: ReadonlyMap<string, readonly string[]>;
}

interface Resolved {
  readonly indices?: readonly {
    readonly name: string;
    readonly attributes?: readonly string[];
    readonly data_stream?: string;
  }[];
  readonly aliases?: readonly { readonly name: string; readonly indices: readonly string[] | string }[];
  readonly data_streams?: readonly { readonly name: string }[];
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
    dataStreams: (answer.data_streams ?? []).map(({ name }) => name),
    aliases: new Map((answer.aliases ?? []).map(({ name, indices }) => [name, [indices].flat()])),
  };
}
