import { type Listing, requestListing } from '../../s3/request-listing.ts';
import type { Store } from '../../s3/store.ts';
import { isOwnObject } from './bucket.ts';

/** One object as a listing tells it. */
export interface BucketObject {
  /** Below the prefix of the target. */
  readonly name: string;
  readonly etag: string;
  readonly bytes: number;
  /** When it was written, as the store says it. */
  readonly modified: string;
}

/** Every object of a target in the order of the store, page by page: the next one is on its way while the rest of one is used. */
export async function* listBucket(store: Store, signal: AbortSignal): AsyncGenerator<BucketObject> {
  const request = (token?: string): Promise<Listing> => {
    const page = requestListing(store, { prefix: '', token });
    // It is awaited in its turn; until then its failure must not end the process.
    page.catch(() => undefined);
    return page;
  };
  for (let page: Promise<Listing> | undefined = request(); page !== undefined;) {
    signal.throwIfAborted();
    const { listed, next }: Listing = await page;
    page = undefined;
    for (const { key, tag, bytes, modified } of listed) {
      const name = key.slice(store.prefix.length);
      if (name !== '' && !isOwnObject(name)) yield { name, etag: tag, bytes: Number(bytes), modified };
      // Whoever only looks at the first one asks for nothing more.
      if (next !== undefined) page ??= request(next);
    }
    if (next !== undefined) page ??= request(next);
  }
}
