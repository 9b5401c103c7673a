import { randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { type Asked, createGetObject } from '../../src/s3/get-object.ts';
import { failureOf } from '../../src/s3/failure.ts';
import { adminOf, STORES, testBucket, versionedBucket } from '../repositories/s3/bucket.ts';
import { startProxy } from '../repositories/s3/proxy.ts';
import { connectionOf } from '../services/connection.ts';

const options = { abortSignal: new AbortController().signal };

/** What an object is, asked for by the SDK and without its layers; an error is told by what it means. */
async function bothWays(service: string, bucket: string, asked: Asked): Promise<readonly [unknown, unknown]> {
  const client = adminOf(service);
  const dates: string[] = [];
  const onDate = (text: string | undefined): void => void dates.push(text ?? '');
  const ask = async (checksums: boolean): Promise<unknown> => {
    try {
      const { body, ...answer } = await createGetObject({ bucket, checksums, onDate })(client, asked, options);
      const { ETag, ContentLength, ContentRange, LastModified, VersionId, TagCount, Metadata } = answer;
      const { ContentType, ContentEncoding, ContentLanguage, ContentDisposition, CacheControl, ExpiresString } = answer;
      const told = {
        ETag,
        ContentLength,
        ContentRange,
        LastModified,
        VersionId,
        TagCount,
        Metadata,
        StorageClass: answer.StorageClass,
      };
      const headers = {
        ContentType,
        ContentEncoding,
        ContentLanguage,
        ContentDisposition,
        CacheControl,
        ExpiresString,
      };
      return { ...told, ...headers, bytes: (await buffer(body)).toString('hex') };
    } catch (error) {
      const { code, status } = failureOf(error);
      return { code, status };
    }
  };
  const [bySdk, quickly] = [await ask(true), await ask(false)];
  expect(dates.map((text) => Number.isNaN(Date.parse(text)))).toEqual([false]);
  return [bySdk, quickly];
}

describe.each(STORES)('%s', (service) => {
  test('says the same of an object as it does to the SDK', async () => {
    const { bucket } = await versionedBucket('versions', service);
    const admin = adminOf(service);
    const Key = "a folder/ü +&=?#%25 'quoted' (all) *.txt";
    const { VersionId = '' } = await admin.putObject({ Bucket: bucket, Key, Body: 'older' });
    await admin.putObject({
      Bucket: bucket,
      Key,
      Body: randomBytes(300),
      ContentType: 'text/x-odd; charset=latin1',
      ContentEncoding: 'gzip',
      ContentLanguage: 'de',
      ContentDisposition: 'attachment; filename="a b.txt"',
      CacheControl: 'no-store',
      Expires: new Date('2030-01-02T03:04:05Z'),
      Metadata: { one: '1', 'two-three': 'a=b; c' },
      Tagging: 'team=ops',
    });
    const { ETag = '' } = await admin.headObject({ Bucket: bucket, Key });
    await admin.putObject({ Bucket: bucket, Key: 'empty', Body: Buffer.alloc(0) });
    const wanted: readonly Asked[] = [
      { Key },
      { Key, Range: 'bytes=10-19' },
      { Key, VersionId },
      { Key, IfMatch: ETag },
      { Key: 'empty' },
    ];
    for (const asked of wanted) {
      const [bySdk, quickly] = await bothWays(service, bucket, asked);
      expect(quickly).toEqual(bySdk);
      expect(quickly).toHaveProperty('bytes');
    }
    const refused: readonly Asked[] = [
      { Key: 'none' },
      { Key, IfMatch: '"another"' },
      { Key: 'empty', Range: 'bytes=0-9' },
      { Key, VersionId: VersionId.replace(/.$/, (last) => (last === '0' ? '1' : '0')) },
    ];
    for (const asked of refused) {
      const [bySdk, quickly] = await bothWays(service, bucket, asked);
      expect(quickly).toEqual(bySdk);
      expect(quickly).not.toHaveProperty('bytes');
    }
  });

  test('is asked once for what is there, and by the SDK where it says something else', async () => {
    const { bucket } = await testBucket(service);
    await adminOf(service).putObject({ Bucket: bucket, Key: 'a', Body: 'text' });
    const { endpoint = '', accessKeyId = '', secretAccessKey = '', region = '' } = connectionOf(service);
    const proxy = await startProxy(endpoint);
    const { S3 } = await import('@aws-sdk/client-s3');
    const credentials = { accessKeyId, secretAccessKey };
    const client = new S3({ endpoint: proxy.endpoint, region, forcePathStyle: true, credentials, maxAttempts: 1 });
    const get = createGetObject({ bucket, checksums: false, onDate: () => undefined });
    const { body } = await get(client, { Key: 'a' }, options);
    expect(String(await buffer(body))).toBe('text');
    expect(proxy.seen.map(({ headers }) => 'amz-sdk-invocation-id' in headers)).toEqual([false]);
    proxy.meet(({ number }) =>
      number === 2 ? { kind: 'answer', status: 403, code: 'RequestTimeTooSkewed' } : undefined,
    );
    const again = await get(client, { Key: 'a' }, options);
    expect(String(await buffer(again.body))).toBe('text');
    expect(proxy.seen.map(({ headers }) => 'amz-sdk-invocation-id' in headers)).toEqual([false, false, true]);
  });
});
