import { createHash } from 'node:crypto';
import type { GetObjectCommandOutput } from '@aws-sdk/client-s3';
import type { TargetOf } from '../../src/engines/engine.ts';
import { s3 } from '../../src/engines/s3.ts';
import { adminOf, STORE, testBucket } from '../repositories/s3/bucket.ts';
import { withRights } from '../repositories/s3/with-rights.ts';
import { connectionOf } from '../services/connection.ts';
import type { Content, EngineFixture } from './fixture.ts';

type Target = TargetOf<'s3'>;

const RIGHTS = [
  's3:ListBucket',
  's3:GetObject',
  's3:PutObject',
  's3:DeleteObject',
  's3:GetObjectTagging',
  's3:PutObjectTagging',
  's3:AbortMultipartUpload',
];

const prefixOf = (folder: string): string => `${folder.split('/').slice(-2).join('/')}`;
const keyOf = ({ prefix = '' }: Target, name: string): string => `${prefix}/${name}`;

const SIZES: Readonly<Record<Content, readonly number[]>> = {
  empty: [],
  small: [0, 1, 300, 5000],
  large: [0, 300, 9 * 1024 * 1024, ...Array.from({ length: 20 }, () => 60_000)],
};

/** Bytes that hardly compress, the same for the same seed. */
function bytesOf(seed: number, size: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(size / 64) }, (_, n) =>
    createHash('sha512').update(`${seed} ${n}`).digest(),
  );
  return Buffer.concat(blocks).subarray(0, size);
}

async function put(target: Target, name: string, body: Buffer | string): Promise<void> {
  await adminOf(STORE).putObject({
    Bucket: target.bucket,
    Key: keyOf(target, name),
    Body: body,
    ContentType: `text/x-${name.length}`,
    CacheControl: 'max-age=60',
    Metadata: { name: encodeURIComponent(name) },
    Tagging: 'kind=test',
  });
}

async function namesIn(target: Target): Promise<readonly string[]> {
  const { Contents = [] } = await adminOf(STORE).listObjectsV2({ Bucket: target.bucket, Prefix: keyOf(target, '') });
  return Contents.map(({ Key = '' }) => Key);
}

/** One line an object: its name, its bytes, and what else is asked for. */
async function digestWith(
  target: Target,
  more: (answer: GetObjectCommandOutput, tags: unknown) => readonly unknown[],
): Promise<string> {
  const admin = adminOf(STORE);
  const lines: string[] = [];
  for (const key of await namesIn(target)) {
    const answer = await admin.getObject({ Bucket: target.bucket, Key: key });
    const { TagSet } = await admin.getObjectTagging({ Bucket: target.bucket, Key: key });
    const body = Buffer.from((await answer.Body?.transformToByteArray()) ?? []);
    const hash = createHash('sha256').update(body).digest('hex');
    lines.push(JSON.stringify([key.slice(keyOf(target, '').length), hash, ...more(answer, TagSet)]));
  }
  return lines.length === 0 ? 'absent' : lines.join('\n');
}

export const s3Fixture: EngineFixture<'s3'> = {
  name: 's3',
  engine: s3,
  isPersistent: true,
  producer: null,
  consumer: null,
  query: null,

  async make(folder, content) {
    const { bucket, endpoint = '', region = '' } = await testBucket();
    const { accessKeyId = '', secretAccessKey = '' } = await withRights({ type: 's3', bucket }, RIGHTS);
    const target: Target = {
      type: 's3',
      bucket,
      endpoint,
      region,
      accessKeyId,
      secretAccessKey,
      prefix: prefixOf(folder),
    };
    for (const [n, size] of SIZES[content].entries()) await put(target, `some/${n}.bin`, bytesOf(n, size));
    if (content !== 'empty') await put(target, 'taken', 'taken');
    // Of a neighbour whose name begins alike.
    await adminOf(STORE).putObject({ Bucket: bucket, Key: `${target.prefix}-other/x`, Body: 'x' });
    return target;
  },

  elsewhere: (target, folder) => ({ ...target, prefix: prefixOf(folder) }),

  digest: (target) =>
    digestWith(target, (answer, tags) => [answer.ContentType, answer.CacheControl, answer.Metadata, tags]),
  // What belongs to an object stands in the last entry of the archive, where no command looks.
  digestByHand: (target) => digestWith(target, () => []),
  handEnvironment({ accessKeyId = '', secretAccessKey = '', region = '' }) {
    const { awscli = '' } = connectionOf(STORE);
    return {
      PATH: `${awscli}/bin:${process.env['PATH']}`,
      PYTHONPATH: awscli,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_DEFAULT_REGION: region,
    };
  },

  async alter(target) {
    await adminOf(STORE).deleteObject({ Bucket: target.bucket, Key: keyOf(target, 'taken') });
    await put(target, 'added', 'added');
  },

  async partsOf(target) {
    const names = await namesIn(target);
    return { taken: names.includes(keyOf(target, 'taken')), added: names.includes(keyOf(target, 'added')) };
  },

  async destroy(target) {
    for (const Key of await namesIn(target)) await adminOf(STORE).deleteObject({ Bucket: target.bucket, Key });
  },

  // An empty bucket is one that can be captured.
  stop: async ({ bucket }) => void (await adminOf(STORE).deleteBucketPolicy({ Bucket: bucket })),
  forbid: async ({ bucket }) => void (await adminOf(STORE).deleteBucketPolicy({ Bucket: bucket })),
  recordBoundary: (raw) => raw.lastIndexOf('ustar') - 257,
};
