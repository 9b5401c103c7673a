import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { openS3Repository } from '../../../src/repositories/s3.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { describeHost } from '../../../src/system/host.ts';
import { startedServices } from '../../services/connection.ts';
import { adminOf, testBucket } from './bucket.ts';

const edge = { clock: systemClock, host: describeHost() };

const [service = ''] = startedServices('minio');

describe('a store that can encrypt and has few storage classes', () => {
  test.each(['AES256', 'aws:kms'] as const)('encrypts with %s when it is asked to', async (serverSideEncryption) => {
    const config = await testBucket(service);
    const repository = openS3Repository({ ...config, serverSideEncryption }, edge);
    expect(await repository.create('created', Buffer.from('x'))).toBe(true);
    await repository.put('small', Readable.from([Buffer.from('x')]));
    await repository.put('large', Readable.from([Buffer.alloc(9 * 1024 * 1024, 'x')]));
    for (const name of ['created', 'small', 'large']) {
      const head = await adminOf(service).headObject({ Bucket: config.bucket, Key: `${config.prefix}/${name}` });
      expect(head.ServerSideEncryption).toBe(serverSideEncryption);
    }
    expect((await repository.read('small')).toString()).toBe('x');
  });

  test('tells that it has no such storage class, and keeps small objects in its own', async () => {
    const config = await testBucket(service);
    const repository = openS3Repository({ ...config, storageClass: 'NO_SUCH' }, edge);
    for (const bytes of [1, 9 * 1024 * 1024]) {
      await expect(repository.put('artifact', Readable.from([Buffer.alloc(bytes)]))).rejects.toMatchObject({
        message: expect.stringContaining('the store has no such storage class'),
        hint: expect.stringContaining('storageClass'),
      });
    }
    await repository.put('manifest', Buffer.from('{}'));
    const reduced = openS3Repository({ ...config, storageClass: 'REDUCED_REDUNDANCY' }, edge);
    await reduced.put('artifact', Readable.from([Buffer.alloc(9 * 1024 * 1024)]));
    const head = await adminOf(service).headObject({ Bucket: config.bucket, Key: `${config.prefix}/artifact` });
    expect(head.StorageClass).toBe('REDUCED_REDUNDANCY');
  });
});
