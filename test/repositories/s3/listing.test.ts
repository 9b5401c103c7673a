import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openS3Repository } from '../../../src/repositories/s3.ts';
import type { Repository } from '../../../src/repositories/repository.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { describeHost } from '../../../src/system/host.ts';

const edge = { clock: systemClock, host: describeHost() };

interface Answering {
  readonly repository: Repository;
  readonly asked: string[];
}

/** A store that gives listings in its own words; it has nothing else. */
async function answering(listing: (query: URLSearchParams) => string): Promise<Answering> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const { searchParams, search } = new URL(request.url ?? '/', 'http://store');
    asked.push(search);
    response.writeHead(200, { 'content-type': 'application/xml' }).end(`<?xml version="1.0"?>${listing(searchParams)}`);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const credentials = { accessKeyId: 'some-key', secretAccessKey: 'some-secret' };
  return { repository: openS3Repository({ type: 's3', endpoint, bucket: 'bucket', ...credentials }, edge), asked };
}

const objectOf = (key: string): string =>
  `<Contents><Key>${key}</Key><ETag>&quot;${key.length}&quot;</ETag><Size>1</Size></Contents>`;

test('a store that ignores where a listing is to begin is listed page after page', async () => {
  const keys = Array.from({ length: 2500 }, (_, n) => `m/${String(n).padStart(5, '0')}`);
  const { repository, asked } = await answering((query) => {
    const from = Number(query.get('continuation-token') ?? '0');
    const next = from + 1000;
    const more = next < keys.length;
    const tail = `<IsTruncated>${more}</IsTruncated>${more ? `<NextContinuationToken>${next}</NextContinuationToken>` : ''}`;
    return `<ListBucketResult>${keys.slice(from, next).map(objectOf).join('')}${tail}</ListBucketResult>`;
  });
  expect(await repository.list('m/', 'deep', keys)).toEqual(keys);
  expect(asked.some((search) => search.includes('start-after'))).toBe(true);
});

test('known keys cost no more pages side by side than one after the other, new ones at most one more for each side', async () => {
  const expected = Array.from({ length: 40_000 }, (_, n) => `m/${String(n).padStart(5, '0')}`);
  const added = Array.from({ length: 100 }, (_, n) => `m/${String(n * 400).padStart(5, '0')}-new`);
  const listed = async (keys: readonly string[], known: readonly string[]): Promise<number> => {
    const { repository, asked } = await answering((query) => {
      const after = query.get('start-after') ?? query.get('continuation-token') ?? '';
      const from = keys.findIndex((key) => key > after);
      const page = keys.slice(from, from + 1000);
      const next = from + 1000 < keys.length ? page.at(-1) : undefined;
      const tail = `<IsTruncated>${next !== undefined}</IsTruncated>${next === undefined ? '' : `<NextContinuationToken>${next}</NextContinuationToken>`}`;
      return `<ListBucketResult>${page.map(objectOf).join('')}${tail}</ListBucketResult>`;
    });
    expect(await repository.list('m/', 'deep', known)).toEqual(keys);
    return asked.length;
  };
  expect(await listed(expected, [])).toBe(40);
  expect(await listed(expected, expected)).toBe(40);
  expect(await listed(expected.slice(0, 12_345), expected.slice(0, 12_345))).toBe(13);
  expect(await listed([...expected, ...added].toSorted(), expected)).toBeLessThanOrEqual(40 + 16);
});

describe('an answer is read', () => {
  const object = { key: 'm/a&b <"é">', version: '12' };
  test.each<[string, string, readonly unknown[]]>([
    [
      'with names that XML must write in its way',
      objectOf('m/a&amp;b &lt;&quot;&#xe9;&#34;&gt;')
        .replace('&quot;39', '&quot;12')
        .replace(/ETag>.*?<\/ETag/, 'ETag>&quot;12&quot;</ETag'),
      [object],
    ],
    ['with attributes', objectOf('m/a').replace('<Contents>', '<Contents xmlns="x">'), [{ key: 'm/a', version: '3' }]],
    [
      'with marked sections',
      objectOf('<![CDATA[m/a&b]]>').replace(/ETag>.*?<\/ETag/, 'ETag>"12"</ETag'),
      [{ key: 'm/a&b', version: '12' }],
    ],
    [
      'without entity tags',
      '<Contents><Key>m/a</Key><LastModified>2026-11-19T02:00:00.000Z</LastModified><Size>7</Size></Contents>',
      [{ key: 'm/a', version: '7 2026-11-19T02:00:00.000Z' }],
    ],
    [
      'on several lines',
      '\n <Contents>\n  <Key>m/a</Key>\n  <ETag>1</ETag>\n </Contents>\n',
      [{ key: 'm/a', version: '1' }],
    ],
    ['with nothing in it', '', []],
  ])('%s', async (_, contents, expected) => {
    const { repository } = await answering(
      () => `<ListBucketResult><Name>b</Name>${contents}<IsTruncated>false</IsTruncated></ListBucketResult>`,
    );
    expect(await repository.listVersions?.('m/')).toEqual(expected);
  });
});
