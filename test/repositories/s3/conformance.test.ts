import { describe, expect, test } from 'vitest';
import { openRepository } from '../../../src/repositories/registry.ts';
import { openS3Repository } from '../../../src/repositories/s3.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { describeHost } from '../../../src/system/host.ts';
import { isFullSet } from '../../services/suites.ts';
import { testRepository } from '../conformance.ts';
import { STORES, testBucket } from './bucket.ts';

const edge = { clock: systemClock, host: describeHost() };

test('the servers to try are there', () => {
  expect(STORES.map((name) => name.split('-')[0])).toEqual([isFullSet() ? 'minio' : 'versitygw']);
});

describe.each(STORES)('%s', (service) => {
  testRepository('s3', async () => {
    const config = await testBucket(service);
    return { open: () => openRepository(config, edge) };
  });

  testRepository('s3 with the whole bucket and a single writer', async () => {
    const { prefix: _prefix, ...config } = await testBucket(service);
    return { open: () => openRepository({ ...config, singleWriter: true }, edge) };
  });

  testRepository("s3 with the store's own checksums", async () => {
    const config = await testBucket(service);
    return { open: () => openS3Repository(config, edge, { checksums: true }) };
  });
});
