import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { readFileSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { elasticsearch } from '../../../src/engines/elasticsearch.ts';
import { openClient } from '../../../src/engines/elasticsearch/server/any-server.ts';
import { withServer } from '../../../src/engines/elasticsearch/server/server.ts';
import { clientOptions } from '../../../src/engines/elasticsearch/server/settings.ts';
import { testContext, testFolder } from '../../test-context.ts';
import type { Target } from './own-indices.ts';
import { banner, standIn } from './stand-in.ts';

const targetAt = (url: string, change: Partial<Target> = {}): Target => ({ type: 'elasticsearch', url, ...change });

async function versionAt(target: Target): Promise<string> {
  const { context } = await testContext();
  return withServer(target, context, async ({ version }) => `${version.product} ${version.major}`);
}

describe('a server', () => {
  test.each([
    ['7.10.2', undefined, 'elasticsearch 7'],
    ['7.17.29', undefined, 'elasticsearch 7'],
    ['8.19.2', undefined, 'elasticsearch 8'],
    ['9.4.3', undefined, 'elasticsearch 9'],
    ['2.4.0', 'opensearch', 'opensearch 2'],
    ['3.8.0', 'opensearch', 'opensearch 3'],
  ])('of version %s (%s) is known', async (number, distribution, known) => {
    const { url, asked } = await standIn(() => ({ body: banner(number, distribution) }));
    expect(await versionAt(targetAt(url))).toBe(known);
    // Media types of one major version are what others refuse.
    expect(asked[0]?.headers.accept).toBe('application/json,text/plain');
  });

  test.each([
    ['7.9.3', undefined, 'holds no point in time'],
    ['2.3.0', 'opensearch', 'holds no point in time'],
    ['', undefined, 'neither Elasticsearch nor OpenSearch'],
  ])('of version %j (%s) is refused', async (number, distribution, reason) => {
    const { url } = await standIn(() => ({ body: banner(number, distribution) }));
    await expect(versionAt(targetAt(url))).rejects.toMatchObject({
      code: 'target',
      message: expect.stringContaining(reason) as unknown,
    });
  });

  test.each([
    [{ username: 'me', password: 'pässword' }, `Basic ${Buffer.from('me:pässword').toString('base64')}`],
    [{ apiKey: 'a2V5' }, 'ApiKey a2V5'],
    [{ bearerToken: 'token' }, 'Bearer token'],
    [{}, undefined],
  ])('is told who comes: %j', async (keys, authorization) => {
    const { url, asked } = await standIn(() => ({ body: banner('8.0.0') }));
    await versionAt(targetAt(url, keys));
    expect(asked[0]?.headers.authorization).toBe(authorization);
  });

  test.each([
    [401, 'correct `username` and `password`, `apiKey` or `bearerToken`'],
    [403, expect.stringContaining('lacks a right') as unknown],
  ])('that answers %d is a problem with a hint, and nobody sees the password', async (status, hint) => {
    const { url } = await standIn(() => ({
      status,
      body: { error: { type: 'security_exception', reason: 'no' }, status },
    }));
    const { context } = await testContext();
    const probe = await elasticsearch.probe(targetAt(url, { username: 'me', password: 'sésame-123' }), context);
    expect(probe.problems).toMatchObject([{ message: `cannot connect to ${url}: no`, hint }]);
    expect(JSON.stringify(probe)).not.toContain('sésame-123');
  });

  test('that is not there is a problem with a hint', async () => {
    const { context } = await testContext();
    const { problems } = await elasticsearch.probe(targetAt('http://127.0.0.1:1'), context);
    expect(problems).toMatchObject([{ hint: expect.stringContaining('is the server running') as unknown }]);
  });

  test.each([429, 502, 503, 504])('that answers %d is asked again', async (status) => {
    const { url, asked } = await standIn((_one, number) =>
      number <= 2 ? { status, body: {} } : { body: banner('8.0.0') },
    );
    expect(await versionAt(targetAt(url))).toBe('elasticsearch 8');
    expect(asked).toHaveLength(3);
  });

  test('in the cloud is found by its id', async () => {
    const cloudId = `name:${Buffer.from('region.cloud.example$abc$def').toString('base64')}`;
    const client = await openClient(
      await clientOptions({ type: 'elasticsearch', cloudId, apiKey: 'a2V5' }, AbortSignal.timeout(60_000)),
    );
    expect(client.connectionPool.connections.map(({ url }) => url.href)).toEqual(['https://abc.region.cloud.example/']);
    await client.close();
  });
});

describe('a certificate', () => {
  async function secured(): Promise<{ readonly url: string; readonly ca: string; readonly fingerprint: string }> {
    const folder = await testFolder();
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2'];
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-keyout',
        key,
        '-out',
        cert,
        ...subject,
      ],
      { stdio: 'pipe' },
    );
    const pem = readFileSync(cert, 'utf8');
    const { url } = await standIn(() => ({ body: banner('8.0.0') }), { key: readFileSync(key, 'utf8'), cert: pem });
    return { url, ca: cert, fingerprint: new X509Certificate(pem).fingerprint256 };
  }

  test('that nobody signed is refused, with a hint', async () => {
    const { url } = await secured();
    await expect(versionAt(targetAt(url))).rejects.toMatchObject({
      code: 'target',
      hint: expect.stringContaining('tlsCa') as unknown,
    });
  });

  test('is taken where its authority or its fingerprint is known, and no other', async () => {
    const { url, ca, fingerprint } = await secured();
    expect(await versionAt(targetAt(url, { tlsCa: ca }))).toBe('elasticsearch 8');
    expect(await versionAt(targetAt(url, { tlsFingerprint: fingerprint }))).toBe('elasticsearch 8');
    const other = fingerprint.replace(/^../, (digits) => (digits === '00' ? '01' : '00'));
    await expect(versionAt(targetAt(url, { tlsFingerprint: other }))).rejects.toMatchObject({ code: 'target' });
    const { ca: stranger } = await secured();
    await expect(versionAt(targetAt(url, { tlsCa: stranger }))).rejects.toMatchObject({ code: 'target' });
  });

  test('means nothing without encryption, and must be a file', async () => {
    await expect(versionAt(targetAt('http://127.0.0.1:1', { tlsFingerprint: 'aa' }))).rejects.toMatchObject({
      message: expect.stringContaining('https') as unknown,
    });
    const folder = await testFolder();
    writeFileSync(join(folder, 'there'), '');
    await expect(versionAt(targetAt('https://127.0.0.1:1', { tlsCa: join(folder, 'gone') }))).rejects.toMatchObject({
      hint: 'correct `tlsCa`',
    });
  });
});
