import type { GetObjectCommandOutput } from '@aws-sdk/client-s3';
import { isKeySegment, checkPrefix } from '../key.ts';
import type { ObjectStat } from '../repository.ts';
import { missingKey } from './errors.ts';
import { cutShort, failureOf } from './failure.ts';
import { objectAt, type Store } from './store.ts';

/** Reads a whole small object, of one version. */
export async function readObject(store: Store, key: string): Promise<Buffer> {
  return store.request({
    verb: 'read',
    object: key,
    send: async (client, options) => {
      try {
        const answer = await client.getObject(objectAt(store, key), options);
        return await wholeBody(answer);
      } catch (error) {
        throw failureOf(error).code === 'NoSuchKey' ? missingKey(key, store.location) : error;
      }
    },
  });
}

async function wholeBody({ Body, ContentLength }: GetObjectCommandOutput): Promise<Buffer> {
  if (Body === undefined) throw cutShort('an answer without a body');
  const content = Buffer.from(await Body.transformToByteArray());
  if (ContentLength !== undefined && content.length !== ContentLength) throw cutShort('a body that was cut short');
  return content;
}

/** What is known of an object; undefined only where the bucket answers and does not have it. */
export async function statObject(store: Store, key: string): Promise<ObjectStat | undefined> {
  const place = objectAt(store, key);
  return store.request({
    verb: 'look at',
    object: key,
    send: async (client, options) => {
      try {
        const head = await client.headObject(place, options);
        return { bytes: head.ContentLength ?? 0, version: versionOf(head) };
      } catch (error) {
        const { status } = failureOf(error);
        if (status < 300 || status >= 500) throw error;
      }
      // An answer to HEAD has no body that would tell a missing object from a missing bucket or a wrong credential.
      try {
        const answer = await client.getObject({ ...place, Range: 'bytes=0-0' }, options);
        await answer.Body?.transformToByteArray();
        return { bytes: totalOf(answer.ContentRange) ?? answer.ContentLength ?? 0, version: versionOf(answer) };
      } catch (error) {
        if (failureOf(error).code === 'NoSuchKey') return undefined;
        throw error;
      }
    },
  });
}

const versionOf = ({ ETag, VersionId }: Pick<GetObjectCommandOutput, 'ETag' | 'VersionId'>): string =>
  [ETag ?? '', VersionId ?? ''].join(' ').trim();

/** The size that `bytes 0-9/100` gives. */
export function totalOf(range: string | undefined): number | undefined {
  const total = /\/(\d+)$/.exec(range ?? '')?.[1];
  return total === undefined ? undefined : Number(total);
}

/** Sorted keys below a prefix. Objects whose names cannot be keys are not shown. */
export async function listObjects(store: Store, prefix: string, depth: 'deep' | 'shallow'): Promise<readonly string[]> {
  checkPrefix(prefix);
  const keys = new Set<string>();
  for (let token: string | undefined, isFirst = true; isFirst || token !== undefined; isFirst = false) {
    const page = await listPage(store, prefix, depth, token);
    for (const key of page.keys) keys.add(key);
    token = page.next;
  }
  return [...keys].sort();
}

async function listPage(
  store: Store,
  prefix: string,
  depth: 'deep' | 'shallow',
  token: string | undefined,
): Promise<{ readonly keys: readonly string[]; readonly next: string | undefined }> {
  const page = await store.request({
    verb: 'list',
    object: prefix,
    send: (client, options) =>
      client.listObjectsV2(
        {
          Bucket: store.bucket,
          Prefix: store.prefix + prefix,
          ...(depth === 'shallow' ? { Delimiter: '/' } : {}),
          ...(token === undefined ? {} : { ContinuationToken: token }),
        },
        options,
      ),
  });
  const full = [
    ...(page.Contents ?? []).map(({ Key }) => Key),
    ...(page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix),
  ];
  const keys = full.flatMap((key) => (key === undefined ? [] : [key.slice(store.prefix.length)]));
  return {
    keys: keys.filter((key) => isListed(key, depth)),
    next: page.IsTruncated === true ? page.NextContinuationToken : undefined,
  };
}

/** Consoles make empty objects that end with a slash and stand for folders; those are none of ours. */
function isListed(key: string, depth: 'deep' | 'shallow'): boolean {
  const name = depth === 'shallow' ? key.replace(/\/$/, '') : key;
  return name.split('/').every(isKeySegment);
}
