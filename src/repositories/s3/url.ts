import { usageError } from '../../errors.ts';
import type { S3Repository } from '../../generated/policy.ts';
import { trimSlashes } from '../../s3/location.ts';

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
