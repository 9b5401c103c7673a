import { pathOfIndex } from '../artifact/index-header.ts';
import { actionOf } from '../restore/added.ts';
import type { SearchServer } from '../server/server.ts';

/** Ids that are looked for with one request; any of them may be in several indices of the stream. */
const AT_ONCE = 250;
const MOST_HITS = 1000;

interface Found {
  readonly hits: {
    readonly total: { readonly value: number };
    readonly hits: readonly { readonly _id: string; readonly _routing?: string }[];
  };
}

/** Those of some documents whose id no index of a data stream has; as far as everybody could see when it was refreshed. */
export async function missingIn(
  server: SearchServer,
  stream: string,
  documents: readonly Buffer[],
): Promise<readonly Buffer[]> {
  const missing: Buffer[] = [];
  for (let at = 0; at < documents.length; at += AT_ONCE) {
    const some = documents.slice(at, at + AT_ONCE).map((document) => ({ document, ...actionOf(document) }));
    const there = await keysThere(
      server,
      stream,
      some.map(({ _id }) => _id),
    );
    missing.push(...some.filter(({ _id, routing }) => !there.has(keyOf(_id, routing))).map(({ document }) => document));
  }
  return missing;
}

async function keysThere(server: SearchServer, stream: string, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const { hits } = (await server.json({
    method: 'POST',
    path: `/${pathOfIndex(stream)}/_search`,
    body: JSON.stringify({ query: { ids: { values: ids } }, _source: false, size: MOST_HITS, track_total_hits: true }),
    doing: `cannot look for documents in data stream ${stream}`,
  })) as Found;
  if (hits.total.value > hits.hits.length && ids.length > 1) {
    const half = Math.ceil(ids.length / 2);
    const [first, second] = [ids.slice(0, half), ids.slice(half)];
    return new Set([...(await keysThere(server, stream, first)), ...(await keysThere(server, stream, second))]);
  }
  return new Set(hits.hits.map(({ _id, _routing }) => keyOf(_id, _routing)));
}

const keyOf = (id: string, routing: string | undefined): string => JSON.stringify([id, routing ?? null]);
