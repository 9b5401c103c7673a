import { integrityError } from '../../../errors.ts';
import { inOneLine } from '../json/one-line.ts';
import { skipValue, walkList, walkObject } from '../json/walk.ts';
import type { SearchServer } from '../server/server.ts';
import { KEEP_ALIVE, type Point } from './points.ts';

/** Documents that a first answer brings: nobody knows how large they are. */
const FIRST_SIZE = 10;
/** Small documents may be followed by large ones. */
const MOST_DOCUMENTS = 2000;
/** What an answer shall have; documents differ in size. */
const WANTED_BYTES = 2 * 1024 * 1024;

/** Some documents of a shard as lines of a bulk request. */
export interface Page {
  readonly lines: Buffer;
  readonly documents: number;
}

/** Reads a point in time page by page, in the order in which the documents lie; null at its end. */
export function openPages(
  server: SearchServer,
  point: Point,
  withVersion: boolean,
  stream?: string,
): () => Promise<Page | null> {
  const { product, major, minor } = server.version;
  const sort = product === 'opensearch' ? '_doc' : '_shard_doc';
  // Newer servers leave vectors out unless they are asked for them.
  const givesVectors = product === 'elasticsearch' && (major > 9 || (major === 9 && minor >= 2));
  const source = givesVectors ? { exclude_vectors: false } : true;
  const constant = JSON.stringify({
    pit: { id: point.id, keep_alive: KEEP_ALIVE },
    sort: [sort],
    _source: source,
    track_total_hits: false,
    ...(withVersion ? { version: true } : {}),
  });
  let size = FIRST_SIZE;
  let after: string | undefined;
  let left = point.documents;
  return async () => {
    if (left <= 0) return null;
    const more = `,"size":${size}${after === undefined ? '' : `,"search_after":${after}`}}`;
    const doing = `cannot read index ${point.index}`;
    const answer = await server.bytes({
      method: 'POST',
      path: '/_search',
      query: { allow_partial_search_results: false },
      body: constant.slice(0, -1) + more,
      doing,
    });
    const { lines, documents, last } = readAnswer(answer ?? Buffer.alloc(0), point.index, withVersion, stream);
    if (last === undefined)
      throw integrityError(`${doing}: shard ${point.shard} ended ${left} documents before its end`);
    after = last;
    left -= documents;
    const fitting = Math.floor((WANTED_BYTES * documents) / Math.max(lines.length, 1));
    size = Math.min(Math.max(fitting, 1), size * 4, MOST_DOCUMENTS);
    return { lines, documents };
  };
}

interface Answer extends Page {
  /** Where the next page begins, as the server said it; undefined where nothing came. */
  readonly last: string | undefined;
}

/** Cuts the documents out of the answer to a search: their sources are copied, and never read. */
export function readAnswer(json: Buffer, index: string, withVersion: boolean, stream?: string): Answer {
  const begin = stream === undefined ? '{"index":{' : `{"create":{"_index":${JSON.stringify(stream)},`;
  const parts: Buffer[] = [];
  let documents = 0;
  let last: string | undefined;
  const text = (at: number, end: number): string => json.toString('utf8', at, end);
  const readHit = (hitAt: number): number => {
    let action = '';
    let source: Buffer | undefined;
    let id = '""';
    const end = walkObject(json, hitAt, (key, at) => {
      const valueEnd = skipValue(json, at);
      if (key === '_id') id = text(at, valueEnd);
      else if (key === '_routing') action += `,"routing":${text(at, valueEnd)}`;
      else if (key === '_version' && withVersion)
        action += `,"version":${text(at, valueEnd)},"version_type":"external"`;
      else if (key === '_source') source = json.subarray(at, valueEnd);
      else if (key === 'sort') last = text(at, valueEnd);
      return valueEnd;
    });
    if (source === undefined) throw integrityError(`cannot export index ${index}: document ${id} has no _source`);
    parts.push(Buffer.from(`${begin}"_id":${id}${action}}}\n`), inOneLine(source), NEWLINE);
    documents += 1;
    return end;
  };
  walkObject(json, 0, (key, at) => {
    if (key === 'timed_out' && json[at] !== FALSE) throw integrityError(`cannot read index ${index}: it took too long`);
    if (key !== 'hits') return skipValue(json, at);
    return walkObject(json, at, (inner, innerAt) =>
      inner === 'hits' ? walkList(json, innerAt, readHit) : skipValue(json, innerAt),
    );
  });
  return { lines: Buffer.concat(parts), documents, last };
}

const NEWLINE = Buffer.from('\n');
const FALSE = 'f'.charCodeAt(0);
