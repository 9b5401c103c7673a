import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { openS3Repository } from '../../../src/repositories/s3.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { describeHost } from '../../../src/system/host.ts';
import { objectsIn, testBucket } from './bucket.ts';
import { withRights } from './with-rights.ts';

const edge = { clock: systemClock, host: describeHost() };
const large = randomBytes(9 * 1024 * 1024);

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
    () => nobody.prepare(),
    () => nobody.list('manifests/', 'deep'),
    () => nobody.stat('manifests/a.json'),
    () => nobody.stat('absent'),
    () => nobody.read('manifests/a.json'),
  ];
  for (const attempt of attempts) await expect(attempt()).rejects.toMatchObject({ code: 'repository' });
});
