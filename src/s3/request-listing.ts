import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { ListObjectsV2CommandInput, ListObjectsV2CommandOutput, S3 } from '@aws-sdk/client-s3';
import { takeOutListed, type Listed } from './listed-objects.ts';
import type { Store } from './store.ts';

export interface ListingRequest {
  /** Below the store's own prefix. */
  readonly prefix: string;
  /** Folders stand for what is in them. */
  readonly isShallow?: boolean;
  /** Only keys behind this one. */
  readonly after?: string | undefined;
  /** What the answer before gave as `next`. */
  readonly token?: string | undefined;
}

export interface Listing {
  /** With the store's own prefix in their keys. */
  readonly listed: readonly Listed[];
  readonly next: string | undefined;
}

/** One answer of the store to a listing, whatever the keys are. */
export async function requestListing(
  store: Store,
  { prefix, isShallow = false, after, token }: ListingRequest,
): Promise<Listing> {
  const { listed, page } = await store.request({
    verb: 'list',
    object: prefix,
    send: (client, options) =>
      sendListing(client, options, {
        Bucket: store.bucket,
        Prefix: store.prefix + prefix,
        ...(isShallow ? { Delimiter: '/' } : {}),
        ...(after === undefined ? {} : { StartAfter: store.prefix + after }),
        ...(token === undefined ? {} : { ContinuationToken: token }),
      }),
  });
  return {
    listed: [
      ...listed,
      ...(page.Contents ?? []).map(({ Key, ETag, Size, LastModified }) => ({
        key: Key ?? '',
        tag: ETag ?? '',
        bytes: `${Size ?? ''}`,
        modified: LastModified?.toISOString() ?? '',
      })),
      ...(page.CommonPrefixes ?? []).map(({ Prefix }) => ({ key: Prefix ?? '', tag: '', bytes: '', modified: '' })),
    ],
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
