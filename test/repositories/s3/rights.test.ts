import { execFileSync } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import type { S3Repository } from '../../../src/generated/policy.ts';
import { openS3Repository } from '../../../src/repositories/s3.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { describeHost } from '../../../src/system/host.ts';
import { connectionOf } from '../../services/connection.ts';
import { adminOf, objectsIn, STORE, testBucket } from './bucket.ts';

const edge = { clock: systemClock, host: describeHost() };
const large = randomBytes(9 * 1024 * 1024);

/** The same repository for a user who may do nothing but this. */
async function withRights(config: S3Repository, actions: readonly string[]): Promise<S3Repository> {
  const { endpoint = '', accessKeyId = '', secretAccessKey = '', program = '' } = connectionOf(STORE);
  const [user, secret] = [`user-${randomUUID().slice(0, 8)}`, randomUUID()];
  const admin = ['admin', '--allow-insecure', '-a', accessKeyId, '-s', secretAccessKey, '-er', endpoint];
  execFileSync(program, [...admin, 'create-user', '-a', user, '-s', secret, '-r', 'user'], { stdio: 'ignore' });
  const { bucket } = config;
  const Resource = [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`];
  const statement = (of: readonly string[], resource: string | undefined): object => ({
    Effect: 'Allow',
    Principal: { AWS: [user] },
    Action: of,
    Resource: [resource],
  });
  const ofBucket = actions.filter((action) => /Bucket/.test(action));
  const ofObjects = actions.filter((action) => !/Bucket/.test(action));
  await adminOf(STORE).putBucketPolicy({
    Bucket: bucket,
    Policy: JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        ...(ofBucket.length === 0 ? [] : [statement(ofBucket, Resource[0])]),
        ...(ofObjects.length === 0 ? [] : [statement(ofObjects, Resource[1])]),
      ],
    }),
  });
  return { ...config, accessKeyId: user, secretAccessKey: secret };
}

test('a credential that may only read reads, and is told so when it writes', async () => {
  const config = await testBucket();
  const admin = openS3Repository(config, edge);
  await admin.put('large', Readable.from([large]));
  const reader = openS3Repository(await withRights(config, ['s3:ListBucket', 's3:GetObject']), edge);
  expect(await reader.exists()).toBe(true);
  expect(await reader.list('', 'deep')).toEqual(['large']);
  expect(await reader.stat('large')).toMatchObject({ bytes: large.length });
  expect(await reader.stat('absent')).toBeUndefined();
  expect((await buffer(await reader.open('large'))).equals(large)).toBe(true);
  expect(await reader.sweep()).toBe(0);
  const attempts = [
    () => reader.put('large', Buffer.from('x')),
    () => reader.put('other', Readable.from([large])),
    () => reader.create('new', Buffer.from('x')),
    () => reader.remove('large'),
  ];
  for (const attempt of attempts) {
    await expect(attempt()).rejects.toMatchObject({
      code: 'repository',
      message: expect.stringMatching(/^cannot (?:write|create|remove) .*: permission denied$/),
      hint: expect.stringContaining('s3:PutObject'),
    });
  }
  expect(await objectsIn(config)).toEqual([`${config.prefix}/large`]);
});

test('a credential that may only add cannot remove, and needs no right to sweep', async () => {
  const config = await testBucket();
  const rights = ['s3:ListBucket', 's3:GetObject', 's3:PutObject'];
  const adder = openS3Repository(await withRights(config, rights), edge);
  expect(await adder.sweep()).toBe(0);
  expect(await adder.create('a', Buffer.from('x'))).toBe(true);
  await adder.put('large', Readable.from([large]));
  expect((await buffer(await adder.open('large'))).equals(large)).toBe(true);
  await expect(adder.remove('a')).rejects.toThrow(/permission denied/);
  expect(await adder.list('', 'deep')).toEqual(['a', 'large']);
});

test('a credential that may do nothing is an error, never an empty repository', async () => {
  const config = await testBucket();
  await openS3Repository(config, edge).put('manifests/a.json', Buffer.from('x'));
  const nobody = openS3Repository(await withRights({ ...config }, ['s3:GetBucketLocation']), edge);
  const attempts: (() => Promise<unknown>)[] = [
    () => nobody.exists(),
    () => nobody.list('manifests/', 'deep'),
    () => nobody.stat('manifests/a.json'),
    () => nobody.stat('absent'),
    () => nobody.read('manifests/a.json'),
  ];
  for (const attempt of attempts) await expect(attempt()).rejects.toMatchObject({ code: 'repository' });
});
