import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { TargetOf } from '../../../src/engines/engine.ts';
import { mongodb } from '../../../src/engines/mongodb.ts';
import { connectionOf } from '../../services/connection.ts';
import { startFerret } from '../../services/ferretdb.ts';
import { giveToServer } from '../../services/server-process.ts';
import { testContext } from '../../test-context.ts';
import { mongodbFixture } from '../mongodb-fixture.ts';
import { makeAuthority } from '../certificates.ts';
import { newRepository, restore, take } from '../workbench.ts';
import { digestDatabase, inDatabase } from './client.ts';
import { SERVER } from './recorded.ts';

type Tls = Pick<TargetOf<'mongodb'>, 'host' | 'tls' | 'tlsCa' | 'tlsCertificateKey'>;

/** A server that answers over TLS only and asks for a certificate of its clients, beside the one of the run. */
async function tlsServer() {
  const made = await testContext();
  const authority = makeAuthority(made.folder, 'authority');
  const stranger = makeAuthority(made.folder, 'stranger');
  const own = authority.sign('server', 'DNS:localhost');
  const mine = authority.sign('client');
  const pem = join(made.folder, 'client-and-key.pem');
  writeFileSync(pem, readFileSync(mine.certificate, 'utf8') + readFileSync(mine.key, 'utf8'), { mode: 0o600 });
  const folder = join(made.folder, 'ferret');
  mkdirSync(folder);
  chmodSync(made.folder, 0o755);
  for (const path of [folder, own.key, own.certificate, authority.certificate]) giveToServer(path);
  const server = connectionOf(SERVER);
  const { postgres = '', tools = '', user = '', password = '' } = server;
  const home = { folder, log: join(folder, 'log'), env: { PATH: process.env['PATH'] ?? '', HOME: folder } };
  const { port, stop } = await startFerret(join(tools, 'ferretdb'), postgres, home, (free) => [
    '--listen-addr=',
    `--listen-tls=127.0.0.1:${free}`,
    `--listen-tls-cert-file=${own.certificate}`,
    `--listen-tls-key-file=${own.key}`,
    `--listen-tls-ca-file=${authority.certificate}`,
  ]);
  onTestFinished(stop);
  const database = `tls_${randomBytes(4).toString('hex')}`;
  onTestFinished(async () => void (await inDatabase(server, database, (db) => db.dropDatabase())));
  const target = (tls: Tls): TargetOf<'mongodb'> => ({
    type: 'mongodb',
    host: 'localhost',
    port,
    user,
    password,
    database,
    tools,
    ...tls,
  });
  return { ...made, target, server, database, ca: authority.certificate, strangerCa: stranger.certificate, pem };
}

test('over TLS the server is verified, by the tools as by our own sessions', async () => {
  const { target, server, database, ca, strangerCa, pem, folder, context } = await tlsServer();
  await inDatabase(server, database, (db) => db.collection('orders').insertOne({ n: 1 }));
  const before = await inDatabase(server, database, digestDatabase);
  const good = [
    { tls: 'verify-full', tlsCa: ca, tlsCertificateKey: pem },
    { tls: 'require', tlsCertificateKey: pem },
  ] as const;
  const repository = await newRepository(folder, context);
  for (const tls of good) {
    const taken = await take(mongodbFixture, target(tls), repository, context);
    await inDatabase(server, database, (db) => db.dropDatabase());
    await restore(mongodbFixture, taken, target(tls), 'new', context);
    expect(await inDatabase(server, database, digestDatabase)).toBe(before);
    for (const { key } of taken.artifacts) await repository.remove(key);
  }
  const bad: readonly Tls[] = [
    { tls: 'verify-full', tlsCa: strangerCa, tlsCertificateKey: pem },
    { tls: 'verify-full', tlsCa: ca, tlsCertificateKey: pem, host: '127.0.0.1' },
    { tls: 'verify-full', tlsCa: ca },
    { tls: 'disable' },
  ];
  const found = await Promise.all(bad.map((tls) => mongodb.probe(target(tls), context)));
  for (const { problems } of found) expect(problems[0]?.message).toMatch(/^cannot connect to MongoDB on /);
});
