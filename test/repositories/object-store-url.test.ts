import { describe, expect, test } from 'vitest';
import { openS3Repository } from '../../src/repositories/s3.ts';
import { parseS3Url } from '../../src/repositories/s3/url.ts';
import { keyPrefixOf, locationOf } from '../../src/s3/location.ts';
import { OF_REPOSITORY } from '../../src/s3/owner.ts';
import { MOST_PARTS, partBytes, partsAtOnce } from '../../src/s3/part-sizes.ts';
import { testContext } from '../test-context.ts';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

describe('where a repository lies', () => {
  test.each([
    ['s3://acme', { type: 's3', bucket: 'acme' }],
    ['s3://acme/', { type: 's3', bucket: 'acme' }],
    ['s3://acme/prod/db', { type: 's3', bucket: 'acme', prefix: 'prod/db' }],
    [
      's3://acme/prod?endpoint=http://127.0.0.1:7070&region=eu&profile=p&pathStyle=false',
      {
        type: 's3',
        bucket: 'acme',
        prefix: 'prod',
        endpoint: 'http://127.0.0.1:7070',
        region: 'eu',
        profile: 'p',
        pathStyle: false,
      },
    ],
  ])('%s', (url, config) => {
    expect(parseS3Url(url, {})).toEqual(config);
  });

  test('the endpoint may come from the environment, as the SDK has it', () => {
    const env = { AWS_ENDPOINT_URL: 'http://all', AWS_ENDPOINT_URL_S3: 'http://s3' };
    expect(parseS3Url('s3://acme', env)).toMatchObject({ endpoint: 'http://s3' });
    expect(parseS3Url('s3://acme?endpoint=http://given', env)).toMatchObject({ endpoint: 'http://given' });
  });

  test.each([
    ['s3://', /is not like/],
    ['s3:acme', /is not like/],
    ['s3://acme?secretAccessKey=x', /unknown parameter secretAccessKey/],
  ])('refuses %s', (url, reason) => {
    expect(() => parseS3Url(url, {})).toThrow(reason);
  });

  test('is told without credentials, and keys stay below it', async () => {
    const { context } = await testContext();
    expect(locationOf({ bucket: 'acme', prefix: '/a/b/' }, OF_REPOSITORY)).toBe('s3://acme/a/b');
    expect(locationOf({ bucket: 'acme', endpoint: 'https://s3.example/' }, OF_REPOSITORY)).toBe(
      'https://s3.example/acme',
    );
    const endpoint = 'https://user:hunter2@s3.example';
    expect(() => locationOf({ bucket: 'acme', endpoint }, OF_REPOSITORY)).toThrow(
      'cannot use the endpoint https://s3.example: it holds a user and a password',
    );
    expect(() => locationOf({ bucket: 'acme', endpoint: 's3.example' }, OF_REPOSITORY)).toThrow(/is not a URL/);
    expect(keyPrefixOf({ bucket: 'acme', prefix: 'a/b' })).toBe('a/b/');
    const hostile = { type: 's3', bucket: 'acme', prefix: 'a/../b' } as const;
    expect(() => openS3Repository(hostile, context)).toThrow(/cannot use the key/);
  });
});

describe('parts', () => {
  test.each([0, 1, 50 * GIB, 80 * GIB, 1024 * GIB, 5 * 1024 * GIB])(
    'of %d bytes are few enough and of one size',
    (bytes) => {
      const size = partBytes(1, bytes);
      expect(Math.ceil(bytes / size)).toBeLessThan(MOST_PARTS);
      expect(partBytes(MOST_PARTS, bytes)).toBe(size);
      expect(size).toBeGreaterThanOrEqual(8 * MIB);
      expect(size).toBeLessThanOrEqual(5 * GIB);
    },
  );

  test('of an unknown size begin small and have room for 400 GiB', () => {
    expect(partBytes(1, undefined)).toBe(8 * MIB);
    let room = 0;
    for (let number = 1; number <= MOST_PARTS; number++) room += partBytes(number, undefined);
    expect(room).toBeGreaterThan(400 * GIB);
    expect(partsAtOnce(8 * MIB)).toBe(4);
    expect(partsAtOnce(64 * MIB)).toBe(2);
  });
});
