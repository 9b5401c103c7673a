import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { openS3Repository } from '../../../src/repositories/s3.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { describeHost } from '../../../src/system/host.ts';
import { testFolder } from '../../test-context.ts';
import { testBucket } from './bucket.ts';
import { startProxy } from './proxy.ts';

const edge = { clock: systemClock, host: describeHost() };

test('a certificate of an own authority needs its file', async () => {
  const folder = await testFolder();
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'ca.pem')];
  const subject = ['-subj', '/CN=store', '-addext', 'subjectAltName=IP:127.0.0.1'];
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-keyout', key, '-out', cert, ...subject],
    { stdio: 'ignore' },
  );
  const config = await testBucket();
  const tls = { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
  const { endpoint, seen } = await startProxy(config.endpoint ?? '', tls);
  await expect(openS3Repository({ ...config, endpoint }, edge).prepare()).rejects.toMatchObject({
    message: expect.stringContaining('its certificate is not trusted'),
    hint: expect.stringContaining('caFile'),
  });
  const trusting = openS3Repository({ ...config, endpoint, caFile: cert }, edge);
  await trusting.put('large', Readable.from([Buffer.alloc(9 * 1024 * 1024, 'x')]));
  expect(await trusting.stat('large')).toMatchObject({ bytes: 9 * 1024 * 1024 });
  const hashes = seen.filter(({ method }) => method === 'PUT').map(({ headers }) => headers['x-amz-content-sha256']);
  expect(hashes).toHaveLength(2);
  // The store compares it with what arrives, also where TLS would make it needless.
  for (const hash of hashes) expect(hash).toMatch(/^[0-9a-f]{64}$/);
  const lost = openS3Repository({ ...config, endpoint, caFile: join(folder, 'none.pem') }, edge);
  await expect(lost.prepare()).rejects.toThrow(/none\.pem: it does not exist/);
});
