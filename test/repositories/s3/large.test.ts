import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { openS3Repository } from '../../../src/repositories/s3.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { describeHost } from '../../../src/system/host.ts';
import { connectionOf } from '../../services/connection.ts';
import { adminOf, STORE, testBucket, uploadsIn } from './bucket.ts';

const edge = { clock: systemClock, host: describeHost() };
const MIB = 1024 * 1024;

test('lists more than a page of keys, deep and shallow', async () => {
  const config = await testBucket();
  const repository = openS3Repository(config, edge);
  const keys = Array.from({ length: 1_234 }, (_, n) => `marks/b/${String(n).padStart(4, '0')}/m.json`);
  const left = [...keys];
  const put = async (): Promise<void> => {
    for (let key = left.pop(); key !== undefined; key = left.pop()) await repository.put(key, Buffer.from('x'));
  };
  await Promise.all(Array.from({ length: 32 }, put));
  expect(await repository.list('', 'deep')).toEqual(keys);
  expect(await repository.list('marks/b/', 'deep')).toEqual(keys);
  expect(await repository.list('marks/b/', 'shallow')).toEqual(keys.map((key) => key.replace('m.json', '')));
  expect(await repository.list('', 'shallow')).toEqual(['marks/']);
});

test('objects of sizes around a part, with and without a known size, come back unchanged', async () => {
  const config = await testBucket();
  const repository = openS3Repository(config, edge);
  for (const bytes of [8 * MIB - 1, 8 * MIB, 8 * MIB + 1, 16 * MIB, 33 * MIB + 1]) {
    const content = randomBytes(bytes);
    const digest = createHash('sha256').update(content).digest('hex');
    for (const expected of [undefined, bytes]) {
      const source = Readable.from([content.subarray(0, 5), content.subarray(5, 3 * MIB), content.subarray(3 * MIB)]);
      expect(await repository.put('object', source, expected)).toEqual({ bytes });
      const hash = createHash('sha256');
      for await (const chunk of await repository.open('object')) hash.update(chunk as Buffer);
      expect(hash.digest('hex')).toBe(digest);
    }
  }
  expect(await uploadsIn(config)).toEqual([]);
});

test('many objects at once share few buffers and all arrive', async () => {
  const config = await testBucket();
  const repository = openS3Repository(config, edge);
  const contents = Array.from({ length: 10 }, () => randomBytes(17 * MIB));
  await Promise.all(contents.map((content, n) => repository.put(`object-${n}`, Readable.from([content]))));
  for (const [n, content] of contents.entries()) {
    expect((await repository.open(`object-${n}`).then((stream) => stream.toArray())).length).toBeGreaterThan(0);
    expect((await repository.read(`object-${n}`)).equals(content)).toBe(true);
  }
});

test('a reader that leaves in the middle lets go of its connections', async () => {
  const config = await testBucket();
  const repository = openS3Repository(config, edge);
  await repository.put('object', Readable.from([randomBytes(40 * MIB)]));
  for (let round = 0; round < 30; round++) {
    const stream = await repository.open('object');
    for await (const chunk of stream) {
      expect((chunk as Buffer).length).toBeGreaterThan(0);
      break;
    }
  }
  expect(await repository.stat('object')).toMatchObject({ bytes: 40 * MIB });
});

test('sweeps uploads that nobody has added to for a day, and only below its prefix', async () => {
  const config = await testBucket();
  const repository = openS3Repository(config, edge);
  const admin = adminOf(STORE);
  const { bucket: Bucket } = config;
  const begin = async (Key: string): Promise<void> => {
    const { UploadId } = await admin.createMultipartUpload({ Bucket, Key });
    await admin.uploadPart({ Bucket, Key, UploadId, PartNumber: 1, Body: Buffer.from('x') });
  };
  await begin(`${config.prefix}/snapshots/old`);
  await begin('elsewhere');
  const age = (folder: string): void => {
    const yesterday = Date.now() / 1000 - 25 * 3600;
    const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
    for (const name of names.toReversed()) utimesSync(join(folder, name), yesterday, yesterday);
  };
  expect(await repository.sweep()).toBe(0);
  age(join(connectionOf(STORE)['buckets'] ?? '', Bucket));
  await begin(`${config.prefix}/snapshots/young`);
  expect(await repository.sweep()).toBe(1);
  expect((await uploadsIn(config)).toSorted()).toEqual([`${config.prefix}/snapshots/young`, 'elsewhere']);
});
