import { integrityError, targetError } from '../../../errors.ts';
import { pathOfIndex } from '../artifact/index-header.ts';
import type { SearchServer } from '../server/server.ts';

/** How long a server holds a point in time that nobody asks; every request begins it anew. */
export const KEEP_ALIVE = '30m';

/** The documents of one shard as they were at one moment. */
export interface Point {
  readonly index: string;
  readonly shard: number;
  readonly id: string;
  readonly documents: number;
}

interface Found {
  readonly timed_out?: boolean;
  readonly _shards?: { readonly failed?: number };
  readonly hits?: { readonly total?: { readonly value?: number } };
}

/** Holds the documents of one shard, and counts them. */
export async function openPoint(server: SearchServer, index: string, shard: number): Promise<Point> {
  const isOpenSearch = server.version.product === 'opensearch';
  const doing = `cannot hold a point in time of index ${index}`;
  const answer = (await server.json({
    method: 'POST',
    path: `/${pathOfIndex(index)}/${isOpenSearch ? '_search/point_in_time' : '_pit'}`,
    query: { keep_alive: KEEP_ALIVE, preference: `_shards:${shard}` },
    doing,
  })) as { readonly id?: string; readonly pit_id?: string };
  const id = answer.id ?? answer.pit_id;
  if (id === undefined) throw targetError(`${doing}: the server gives none`);
  try {
    return { index, shard, id, documents: await countIn(server, { index, id }) };
  } catch (error) {
    await closePoints(server, [{ id }]);
    throw error;
  }
}

/** Counts the documents of a point in time, which also keeps it. */
export async function countIn(server: SearchServer, { index, id }: Pick<Point, 'index' | 'id'>): Promise<number> {
  const doing = `cannot count the documents of index ${index}`;
  const answer = (await server.json({
    method: 'POST',
    path: '/_search',
    query: { allow_partial_search_results: false },
    body: JSON.stringify({ size: 0, track_total_hits: true, pit: { id, keep_alive: KEEP_ALIVE } }),
    doing,
  })) as Found;
  const count = answer.hits?.total?.value;
  if (answer.timed_out === true || answer._shards?.failed !== 0 || count === undefined)
    throw integrityError(`${doing}: not every shard answered`);
  return count;
}

/** Lets points in time go; one that is gone is no failure. */
export async function closePoints(server: SearchServer, points: readonly Pick<Point, 'id'>[]): Promise<void> {
  const isOpenSearch = server.version.product === 'opensearch';
  for (const { id } of points)
    await server.afterwards
      .bytes({
        method: 'DELETE',
        path: isOpenSearch ? '/_search/point_in_time' : '/_pit',
        body: JSON.stringify(isOpenSearch ? { pit_id: [id] } : { id }),
        doing: 'cannot let a point in time go',
        expected: [404],
      })
      // The server lets it go by itself, later.
      .catch(() => undefined);
}
