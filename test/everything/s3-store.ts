import type { S3 } from '@aws-sdk/client-s3';
import { adminOf, STORE } from '../repositories/s3/bucket.ts';
import { connectionOf } from '../services/connection.ts';
import { type Store, textOf } from './store.ts';

/** A bucket of its own, packed into an archive or mirrored. */
export function s3Store(method: 'archive' | 'mirror'): Store {
  const bucket = `everything-${method}`;
  const { endpoint = '', accessKeyId = '', secretAccessKey = '' } = connectionOf(STORE);
  const admin: S3 = adminOf(STORE);
  const list = async (): Promise<readonly string[]> => {
    const keys: string[] = [];
    for (let token: string | undefined, more = true; more;) {
      const page = await admin.listObjectsV2({ Bucket: bucket, ...(token && { ContinuationToken: token }) });
      keys.push(...(page.Contents ?? []).map(({ Key = '' }) => Key));
      token = page.NextContinuationToken;
      more = token !== undefined;
    }
    return keys;
  };
  const read = async (Key: string): Promise<readonly [string, string]> => {
    const { Body, ContentType = '', CacheControl = '', Metadata = {} } = await admin.getObject({ Bucket: bucket, Key });
    const about = [Key, ContentType, CacheControl, ...Object.entries(Metadata).map(String).toSorted()].join(' ');
    return [about, Buffer.from((await Body?.transformToByteArray()) ?? []).toString('latin1')];
  };
  return {
    name: `s3-${method}`,
    target: {
      type: 's3',
      method,
      bucket,
      endpoint,
      region: 'us-east-1',
      accessKeyId,
      secretAccessKey: '${env:EVERYTHING_S3}',
    },
    env: { EVERYTHING_S3: secretAccessKey },
    isOneMoment: false,

    async seed() {
      await admin.createBucket({ Bucket: bucket });
      const put = (Key: string, Body: string, more: object = {}) =>
        admin.putObject({ Bucket: bucket, Key, Body: Buffer.from(Body), ...more });
      await put('kinds/ünï¢öde 日本', 'text', { ContentType: 'text/x-odd', CacheControl: 'no-store' });
      await put('kinds/empty', '', { Metadata: { one: '1', two: 'b c' } });
    },
    async write(n) {
      await admin.putObject({ Bucket: bucket, Key: `written/${n}`, Body: textOf(n) });
    },
    async read() {
      const keys = await list();
      const seeded = await Promise.all(keys.filter((key) => key.startsWith('kinds/')).map(read));
      const written: [number, string][] = [];
      for (const key of keys.filter((one) => one.startsWith('written/')))
        written.push([Number(key.slice('written/'.length)), (await read(key))[1]]);
      return { seeded: seeded.map((pair) => pair.join(' ')), written: new Map(written) };
    },
    async lose() {
      for (const Key of await list()) await admin.deleteObject({ Bucket: bucket, Key });
    },
    async close() {
      for (const Key of await list()) await admin.deleteObject({ Bucket: bucket, Key });
      await admin.deleteBucket({ Bucket: bucket });
    },
  };
}
