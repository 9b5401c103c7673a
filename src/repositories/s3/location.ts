import { repositoryError, usageError } from '../../errors.ts';
import type { S3Repository } from '../../generated/policy.ts';
import { checkKey } from '../key.ts';

/** AWS itself, whose own checksums and addressing are used. */
export function isAws(endpoint: string | undefined): boolean {
  return endpoint === undefined || /\.amazonaws\.com(?:\.cn)?$/.test(URL.parse(endpoint)?.hostname ?? '');
}

/** Where a repository lies, for people and as its name in the catalog; no credential is in it. */
export function locationOf({ endpoint, bucket, prefix }: S3Repository): string {
  const path = [bucket, trimSlashes(prefix ?? '')].filter((part) => part !== '').join('/');
  return endpoint === undefined ? `s3://${path}` : `${originOf(endpoint)}/${path}`;
}

function originOf(endpoint: string): string {
  const url = URL.parse(endpoint);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw repositoryError(`cannot use the endpoint ${JSON.stringify(endpoint)}: it is not a URL`, {
      hint: 'write it like https://s3.example.com',
    });
  }
  if (url.username !== '' || url.password !== '')
    throw repositoryError(`cannot use the endpoint ${url.origin}: it holds a user and a password`, {
      hint: 'write `accessKeyId` and `secretAccessKey` instead',
    });
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

/** What stands before every key in the bucket: empty, or ending with a slash. */
export function keyPrefixOf({ prefix }: S3Repository): string {
  const trimmed = trimSlashes(prefix ?? '');
  if (trimmed === '') return '';
  checkKey(trimmed);
  return `${trimmed}/`;
}

const trimSlashes = (text: string): string => text.replaceAll(/^\/+|\/+$/g, '');

const QUERY = new Set(['endpoint', 'region', 'profile', 'pathStyle', 'caFile']);

/** The repository that `s3://bucket/prefix?endpoint=…&region=…` names; what is not said comes from the environment. */
export function parseS3Url(text: string, env: Readonly<Record<string, string | undefined>>): S3Repository {
  const url = URL.parse(text);
  if (url === null || url.protocol !== 's3:' || url.hostname === '')
    throw usageError(`cannot open repository ${text}: it is not like s3://bucket/prefix`);
  const unknown = [...url.searchParams.keys()].find((key) => !QUERY.has(key));
  if (unknown !== undefined)
    throw usageError(`cannot open repository ${text}: unknown parameter ${unknown}`, {
      hint: `known are ${[...QUERY].join(', ')}`,
    });
  const of = (key: string): string | undefined => url.searchParams.get(key) ?? undefined;
  const endpoint = of('endpoint') ?? env['AWS_ENDPOINT_URL_S3'] ?? env['AWS_ENDPOINT_URL'];
  const prefix = trimSlashes(decodeURIComponent(url.pathname));
  const pathStyle = of('pathStyle');
  return {
    type: 's3',
    bucket: url.hostname,
    ...(prefix === '' ? {} : { prefix }),
    ...(endpoint === undefined || endpoint === '' ? {} : { endpoint }),
    ...copied('region', of('region')),
    ...copied('profile', of('profile')),
    ...copied('caFile', of('caFile')),
    ...(pathStyle === undefined ? {} : { pathStyle: pathStyle !== 'false' }),
  };
}

const copied = <K extends string>(key: K, value: string | undefined): { readonly [name in K]?: string } =>
  value === undefined ? {} : ({ [key]: value } as { readonly [name in K]: string });
