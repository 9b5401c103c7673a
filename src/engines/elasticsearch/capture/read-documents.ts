import { integrityError } from '../../../errors.ts';
import type { SearchServer } from '../server/server.ts';
import { openPages, type Page } from './pages.ts';
import { closePoints, countIn, type Point } from './points.ts';

/** Points that nobody asks go after a while: they are asked this often. */
const RENEWED_EVERY_MS = 5 * 60_000;

export interface DocumentsRequest {
  readonly server: SearchServer;
  readonly points: readonly Point[];
  /** Points of other indices, which wait for their turn. */
  readonly waiting: () => readonly Point[];
  readonly withVersion: boolean;
  /** The data stream that the index is a part of. */
  readonly stream?: string | undefined;
  /** Shards that are read at once. */
  readonly atOnce: number;
  readonly monotonicMs: () => number;
}

interface Reading {
  readonly point: Point;
  readonly next: () => Promise<Page | null>;
}

/**
 * All documents of an index as lines of a bulk request: several shards at once, the next page of each on its way while one
 * is stored. Throws unless there were as many as were counted.
 */
export async function* readDocuments(request: DocumentsRequest): AsyncGenerator<Buffer, void, undefined> {
  const { server, points, waiting, withVersion, stream, atOnce, monotonicMs } = request;
  const left = points.filter(({ documents }) => documents > 0);
  const expected = points.reduce((sum, { documents }) => sum + documents, 0);
  const running = new Map<Reading, Promise<{ readonly reading: Reading; readonly page: Page | null }>>();
  const advance = (reading: Reading): void => {
    const page = reading.next().then((found) => ({ reading, page: found }));
    page.catch(() => undefined);
    running.set(reading, page);
  };
  const begin = (): void => {
    const point = left.shift();
    if (point !== undefined) advance({ point, next: openPages(server, point, withVersion, stream) });
  };
  for (let started = 0; started < atOnce; started += 1) begin();
  let documents = 0;
  let renewed = monotonicMs();
  while (running.size > 0) {
    const { reading, page } = await Promise.race(running.values());
    if (page === null) {
      running.delete(reading);
      begin();
      continue;
    }
    advance(reading);
    documents += page.documents;
    yield page.lines;
    if (monotonicMs() - renewed > RENEWED_EVERY_MS) {
      for (const point of [...left, ...waiting()]) await countIn(server, point);
      renewed = monotonicMs();
    }
  }
  if (documents !== expected)
    throw integrityError(`cannot export index ${points[0]?.index}: ${documents} of ${expected} documents came`);
  await closePoints(server, points);
}
