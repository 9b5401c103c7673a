import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { TargetOf } from '../../../src/engines/engine.ts';
import { redis } from '../../../src/engines/redis.ts';
import { giveToServer } from '../../services/server-process.ts';
import { testContext } from '../../test-context.ts';
import { makeAuthority } from '../certificates.ts';
import { targetOn } from '../redis-fixture.ts';
import { ask } from './ask.ts';
import { SMALL } from './contents.ts';
import { restoreRedis, takeRedis } from './take-redis.ts';

/** A server that speaks TLS only and asks for a certificate. */
function tlsServer(): TargetOf<'redis'> {
  const folder = mkdtempSync(join(tmpdir(), 'bkp-redis-tls-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  chmodSync(folder, 0o755);
  const authority = makeAuthority(folder, 'authority');
  const server = authority.sign('server', 'DNS:localhost');
  const client = authority.sign('client');
  for (const path of [server.key, server.certificate]) giveToServer(path);
  chmodSync(client.key, 0o600);
  const files = [
    '--tls-cert-file',
    server.certificate,
    '--tls-key-file',
    server.key,
    '--tls-ca-cert-file',
    authority.certificate,
  ];
  const target = targetOn('redis-7.0', ['--tls-port', '{port}', '--port', '0', ...files]);
  const shown = { tlsCa: authority.certificate, tlsCertificate: client.certificate, tlsKey: client.key };
  return { ...target, ...shown, host: 'localhost', tls: 'verify-full' };
}

test('every connection is encrypted and verified as the policy says', async () => {
  const source = targetOn('redis-7.0');
  await ask(source, ...SMALL);
  const first = await takeRedis(source);
  const verified = tlsServer();
  const { context } = await testContext();
  expect(await redis.probe(verified, context)).toMatchObject({ problems: [] });
  await restoreRedis(first.taken, verified, 'new', first.context);
  const { taken } = await takeRedis({ ...verified, host: '127.0.0.1', tls: 'verify-ca' });
  expect(taken.facts).toEqual(first.taken.facts);
  // On this machine nothing leaves it.
  await restoreRedis(taken, verified, 'replace', context);
  await restoreRedis(taken, { ...verified, tls: 'require' }, 'merge', context);

  for (const wrong of [
    { ...verified, host: '127.0.0.1' },
    { ...verified, tls: 'disable' as const },
    { ...verified, tlsCa: verified.tlsCertificate ?? '' },
  ]) {
    expect((await redis.probe(wrong, context)).problems).toHaveLength(1);
    await expect(redis.capture(wrong, context)).rejects.toMatchObject({ code: 'target' });
  }
});

test('a replacement that would go over the network unencrypted is refused', async () => {
  const verified = tlsServer();
  const source = targetOn('redis-7.0');
  await ask(source, ['SET', 'key', 'x']);
  const { taken, context } = await takeRedis(source);
  await restoreRedis(taken, verified, 'new', context);
  const elsewhere = { ...verified, reachableAt: '192.0.2.1' };
  await expect(restoreRedis(taken, elsewhere, 'replace', context)).rejects.toMatchObject({
    code: 'target',
    message: expect.stringContaining('unencrypted') as string,
  });
});
