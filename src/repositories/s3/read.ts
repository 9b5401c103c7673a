import type { GetObjectCommandOutput } from '@aws-sdk/client-s3';
import type { ObjectStat } from '../repository.ts';
import { missingKey } from '../../s3/errors.ts';
import { isMissing, totalOf } from '../../s3/answer.ts';
import { cutShort, failureOf } from '../../s3/failure.ts';
import { objectAt, type Store } from '../../s3/store.ts';

/** Reads a whole small object, of one version. */
export async function readObject(store: Store, key: string, version?: string): Promise<Buffer> {
  return store.request({
    verb: 'read',
    object: key,
    send: async (client, options) => {
      try {
        const answer = await client.getObject(objectAt(store, key, version), options);
        return await wholeBody(answer);
      } catch (error) {
        throw isMissing(error) ? missingKey(key, store.location) : error;
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
