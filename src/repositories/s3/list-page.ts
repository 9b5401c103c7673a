import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { ListObjectsV2CommandInput, ListObjectsV2CommandOutput, S3 } from '@aws-sdk/client-s3';
import { isKeySegment } from '../key.ts';
import type { ListedObject } from '../repository.ts';
import { takeOutListed, type Listed } from './listed-objects.ts';
import type { Store } from './store.ts';

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
  const { listed, page } = await store.request({
    verb: 'list',
    object: prefix,
    send: (client, options) =>
      sendListing(client, options, {
        Bucket: store.bucket,
        Prefix: store.prefix + prefix,
        ...(depth === 'shallow' ? { Delimiter: '/' } : {}),
        ...(after === undefined ? {} : { StartAfter: store.prefix + behind(after) }),
        ...(token === undefined ? {} : { ContinuationToken: token }),
      }),
  });
  const all = [
    ...listed,
    ...(page.Contents ?? []).map(({ Key, ETag, Size, LastModified }) => ({
      key: Key ?? '',
      tag: ETag ?? '',
      bytes: `${Size ?? ''}`,
      modified: LastModified?.toISOString() ?? '',
    })),
    ...(page.CommonPrefixes ?? []).map(({ Prefix }) => ({ key: Prefix ?? '', tag: '', bytes: '', modified: '' })),
  ];
  const objects = all.map((one) => ({ key: one.key.slice(store.prefix.length), version: versionOf(one) }));
  return {
    objects: objects.filter(({ key }) => isListed(key, depth)).sort((a, b) => (a.key < b.key ? -1 : 1)),
    next: page.IsTruncated === true ? page.NextContinuationToken : undefined,
  };
}

async function sendListing(
  client: S3,
  options: { readonly abortSignal: AbortSignal },
  input: ListObjectsV2CommandInput,
): Promise<{ readonly listed: readonly Listed[]; readonly page: ListObjectsV2CommandOutput }> {
  const { ListObjectsV2Command } = await import('@aws-sdk/client-s3');
  const command = new ListObjectsV2Command(input);
  let listed: readonly Listed[] = [];
  // The last to be added stands next to the wire: what it takes out of an answer nobody else sees.
  command.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const response = result.response as { readonly statusCode?: number; body?: unknown };
      if (response.statusCode !== 200 || !(response.body instanceof Readable)) return result;
      const taken = takeOutListed(await text(response.body));
      listed = taken.listed;
      response.body = Readable.from([Buffer.from(taken.rest)]);
      return result;
    },
    { step: 'deserialize', priority: 'low', name: 'bkpListed' },
  );
  return { page: await client.send(command, options), listed };
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
