import { requestListing } from '../../s3/request-listing.ts';
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

/** Every object of a target in the order of the store, page by page. */
export async function* listBucket(store: Store, signal: AbortSignal): AsyncGenerator<BucketObject> {
  for (let token: string | undefined, isFirst = true; isFirst || token !== undefined; isFirst = false) {
    signal.throwIfAborted();
    const { listed, next } = await requestListing(store, { prefix: '', token });
    for (const { key, tag, bytes, modified } of listed) {
      const name = key.slice(store.prefix.length);
      if (name !== '' && !isOwnObject(name)) yield { name, etag: tag, bytes: Number(bytes), modified };
    }
    token = next;
  }
}
