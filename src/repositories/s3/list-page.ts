import type { Listed } from '../../s3/listed-objects.ts';
import { requestListing } from '../../s3/request-listing.ts';
import type { Store } from '../../s3/store.ts';
import { isKeySegment } from '../key.ts';
import type { ListedObject } from '../repository.ts';

export type Depth = 'deep' | 'shallow';

export interface PageRequest {
  readonly prefix: string;
  readonly depth: Depth;
  /** Only keys behind this one, and behind what is in it where it is a folder. */
  readonly after: string | undefined;
  /** What the page before gave as `next`. */
  readonly token: string | undefined;
}

export interface Page {
  /** Sorted by key. */
  readonly objects: readonly ListedObject[];
  readonly next: string | undefined;
}

/** One answer of the store to a listing. Objects whose names cannot be keys are not shown. */
export async function listPage(store: Store, { prefix, depth, after, token }: PageRequest): Promise<Page> {
  const { listed, next } = await requestListing(store, {
    prefix,
    isShallow: depth === 'shallow',
    after: after === undefined ? undefined : behind(after),
    token,
  });
  const objects = listed.map((one) => ({ key: one.key.slice(store.prefix.length), version: versionOf(one) }));
  return {
    objects: objects.filter(({ key }) => isListed(key, depth)).sort((a, b) => (a.key < b.key ? -1 : 1)),
    next,
  };
}

/** Behind everything in a folder: `0` follows `/`. Stores differ in what the folder's own name stands before. */
const behind = (key: string): string => (key.endsWith('/') ? `${key.slice(0, -1)}0` : key);

/** Objects that something else than a store's own interface put into its folder have no entity tag there. */
function versionOf({ tag, bytes, modified }: Listed): string {
  const bare = tag.replaceAll('"', '');
  return bare === '' ? `${bytes} ${modified}`.trim() : bare;
}

/** Consoles make empty objects that end with a slash and stand for folders; those are none of ours. */
function isListed(key: string, depth: Depth): boolean {
  const name = depth === 'shallow' ? key.replace(/\/$/, '') : key;
  return name.split('/').every(isKeySegment);
}
