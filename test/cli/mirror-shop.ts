import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { onTestFinished } from 'vitest';
import type { S3Repository } from '../../src/generated/policy.ts';
import { adminOf, STORE } from '../repositories/s3/bucket.ts';
import { type Proxy, startProxy } from '../repositories/s3/proxy.ts';
import { connectionOf } from '../services/connection.ts';
import { jsonOf, makePlace, type Place, withEnvironment } from './run-bkp.ts';

/** Keys of which some are one where a file system ignores case, or no names of files there. */
export const KEYS: readonly string[] = [
  'a',
  'b/c',
  'Ä',
  'ä',
  'B.txt',
  'b.txt',
  'new\nline',
  '%41',
  'x y',
  '.hidden',
  'k'.repeat(200),
];

const policyWith = (repositories: readonly string[], source: S3Repository, more = ''): string => `version: 1
name: shop
repositories:
${repositories.map((line) => `  ${line}\n`).join('')}
targets:
  images:
    type: s3
    method: mirror
    bucket: ${source.bucket}
    prefix: from
    endpoint: ${source.endpoint}
    accessKeyId: \${env:KEY}
    secretAccessKey: \${env:SECRET}
backups:
  shop:
    targets: [images]
    repositories: [${repositories.map((line) => line.replace(/:.*/s, '')).join(', ')}]
    schedule: "0 0 1 1 *"
    retention: { keepLast: 2 }
    verify: { every: 7d }
${more}`;

export const farIn = ({ bucket }: S3Repository, endpoint: string, more = ''): string =>
  `far: { type: s3, bucket: ${bucket}, prefix: deep/prefix, endpoint: "${endpoint}", accessKeyId: "\${env:KEY}", secretAccessKey: "\${env:SECRET}"${more} }`;
export const NEAR = 'near: { type: directory, path: near, dedupe: hardlink }';

const { accessKeyId: KEY = '', secretAccessKey: SECRET = '' } = connectionOf(STORE);
export const KEYS_IN_ENVIRONMENT: Readonly<Record<string, string>> = { KEY, SECRET };

export interface Shop extends Place {
  readonly put: (key: string, body: string, more?: object) => Promise<unknown>;
  readonly bucket: string;
  readonly proxy: Proxy;
  /** The folder of the objects of a snapshot in the near repository. */
  readonly objects: (id: string) => string;
  readonly ids: (args?: string) => Promise<readonly string[]>;
}

export async function makeShop(
  made: Promise<S3Repository>,
  repositories: (config: S3Repository, endpoint: string) => readonly string[],
): Promise<Shop> {
  const config = await made;
  const { bucket, endpoint = '' } = config;
  const proxy = await startProxy(endpoint);
  const bare = await makePlace();
  onTestFinished(() => bare.remove());
  const place = withEnvironment(bare, KEYS_IN_ENVIRONMENT);
  const source = { ...config, endpoint: proxy.endpoint };
  await writeFile(place.path('bkp.yaml'), policyWith(repositories(config, proxy.endpoint), source));
  const put: Shop['put'] = (key, Body, more = {}) =>
    adminOf(STORE).putObject({ Bucket: bucket, Key: `from/${key}`, Body, ...more });
  return {
    ...place,
    put,
    bucket,
    proxy,
    objects: (id) => place.path('near/snapshots/shop', id, 'images'),
    ids: async (args = '') => {
      const { snapshots } = jsonOf(await place.bkp(`list --format json${args}`));
      return (snapshots as readonly { readonly id: string }[]).map(({ id }) => id);
    },
  };
}

export const fill = async ({ put }: Shop): Promise<void> => {
  for (const key of KEYS) await put(key, `content of ${key}`, { ContentType: 'text/odd', Tagging: 'kind=test' });
};

/** Bodies of objects that were asked for whole, or at least more than their first byte. */
export const readFrom = ({ seen }: Proxy, since: number, path: string): number =>
  seen
    .slice(since)
    .filter((one) => one.method === 'GET' && one.path.includes(path) && !one.query.has('list-type'))
    .filter((one) => !one.query.has('tagging') && one.headers.range !== 'bytes=0-0').length;

export const flip = (path: string): void => {
  const bytes = readFileSync(path);
  bytes[0] = (bytes[0] ?? 0) ^ 1;
  // Not in place: the file may have another name in another snapshot.
  rmSync(path);
  writeFileSync(path, bytes);
};
