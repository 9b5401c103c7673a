import type { Owner } from './owner.ts';

/** Where a bucket is, and what of it counts. */
export interface BucketPlace {
  readonly endpoint?: string;
  readonly bucket: string;
  readonly prefix?: string;
}

/** AWS itself, whose own checksums and addressing are used. */
export function isAws(endpoint: string | undefined): boolean {
  return endpoint === undefined || /\.amazonaws\.com(?:\.cn)?$/.test(URL.parse(endpoint)?.hostname ?? '');
}

/** Where a bucket lies, for people and as the name of a repository in the catalog; no credential is in it. */
export function locationOf({ endpoint, bucket, prefix }: BucketPlace, owner: Owner): string {
  const path = [bucket, trimSlashes(prefix ?? '')].filter((part) => part !== '').join('/');
  return endpoint === undefined ? `s3://${path}` : `${originOf(endpoint, owner)}/${path}`;
}

function originOf(endpoint: string, { error }: Owner): string {
  const url = URL.parse(endpoint);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw error(`cannot use the endpoint ${JSON.stringify(endpoint)}: it is not a URL`, {
      hint: 'write it like https://s3.example.com',
    });
  }
  if (url.username !== '' || url.password !== '')
    throw error(`cannot use the endpoint ${url.origin}: it holds a user and a password`, {
      hint: 'write `accessKeyId` and `secretAccessKey` instead',
    });
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

/** What stands before every key in the bucket: empty, or ending with a slash. */
export function keyPrefixOf({ prefix }: BucketPlace): string {
  const trimmed = trimSlashes(prefix ?? '');
  return trimmed === '' ? '' : `${trimmed}/`;
}

export const trimSlashes = (text: string): string => text.replaceAll(/^\/+|\/+$/g, '');
