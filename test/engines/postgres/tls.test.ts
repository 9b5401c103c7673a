import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TargetOf } from '../../../src/engines/engine.ts';
import { postgres } from '../../../src/engines/postgres.ts';
import { connectionOf } from '../../services/connection.ts';
import { postgres15 } from '../../services/postgres.ts';
import { psql } from '../../services/postgres-psql.ts';
import { giveToServer } from '../../services/server-process.ts';
import type { RunningService } from '../../services/service.ts';
import { testContext } from '../../test-context.ts';
import { postgresFixture } from '../postgres-fixture.ts';
import { newRepository, restore, take } from '../workbench.ts';
import { type Authority, makeAuthority, type SignedPair } from './certificates.ts';

type Target = TargetOf<'postgres'>;

let folder = '';
let server: RunningService;
let authority: Authority;
let other: Authority;
let client: SignedPair;

const sql = (text: string): string =>
  psql({ ...server.connection, host: server.connection['socket'] ?? '' }, 'tls', text);

/** A server that lets in by TLS only, `guest` only by certificate and `plain` only in the clear. */
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bkp-tls-'));
  chmodSync(folder, 0o755);
  authority = makeAuthority(folder, 'authority');
  other = makeAuthority(folder, 'other');
  client = authority.sign('guest');
  server = await postgres15.start(folder, folder);
  const { certificate, key } = authority.sign('localhost', 'DNS:localhost');
  const data = join(server.connection['socket'] ?? '', 'data');
  const file = (name: string, from: string): void => {
    writeFileSync(join(data, name), readFileSync(from), { mode: 0o600 });
    giveToServer(join(data, name));
  };
  file('server.crt', certificate);
  file('server.key', key);
  file('root.crt', authority.certificate);
  const rules = [
    'hostssl all guest all cert',
    'hostnossl all plain all scram-sha-256',
    'hostssl all postgres all scram-sha-256',
  ];
  writeFileSync(join(data, 'pg_hba.conf'), ['local all all scram-sha-256', ...rules, ''].join('\n'));
  psql({ ...server.connection, host: server.connection['socket'] ?? '' }, 'postgres', 'CREATE DATABASE tls');
  sql(
    `CREATE TABLE t AS SELECT 1 AS v; CREATE ROLE guest LOGIN SUPERUSER; CREATE ROLE plain LOGIN SUPERUSER PASSWORD 'plain'`,
  );
  for (const setting of ["ssl_ca_file = 'root.crt'", 'ssl = on', 'log_connections = on'])
    sql(`ALTER SYSTEM SET ${setting}`);
  sql('SELECT pg_reload_conf()');
  while (sql('SHOW ssl') !== 'on') await wait(20);
});

afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

const target = (changes: Partial<Target> = {}): Target => ({
  type: 'postgres',
  host: 'localhost',
  port: Number(server.connection['port']),
  user: 'postgres',
  password: server.connection['password'] ?? '',
  database: 'tls',
  ...changes,
});

/** Captures, and restores beside; both need our own sessions and PostgreSQL's programs to get in. */
async function roundTrip(of: Target): Promise<void> {
  const { context, folder: repositories } = await testContext();
  const repository = await newRepository(repositories, context);
  const taken = await take(postgresFixture, of, repository, context);
  expect(taken.facts).toMatchObject({ tables: { 'public.t': 1 } });
  const copy = { ...of, database: 'copy' };
  await restore(postgresFixture, taken, copy, 'new', context);
  expect(psql({ ...server.connection, host: server.connection['socket'] ?? '' }, 'copy', 'TABLE t; DROP TABLE t')).toBe(
    '1',
  );
  sql('DROP DATABASE copy');
}

async function problemOf(of: Target): Promise<unknown> {
  const { context } = await testContext();
  const { problems } = await postgres.probe(of, context);
  expect(problems).toHaveLength(problems.length === 0 ? 0 : 1);
  return problems[0];
}

describe('an encrypted connection', () => {
  const modes: Readonly<Record<string, () => Partial<Target>>> = {
    'with everything verified': () => ({ tls: 'verify-full', tlsCa: authority.certificate }),
    'with the authority verified, whatever the name': () => ({
      tls: 'verify-ca',
      tlsCa: authority.certificate,
      host: '127.0.0.1',
    }),
    'as required': () => ({ tls: 'require' }),
    'by default': () => ({}),
    'with a certificate instead of a password': () => ({
      tls: 'verify-full',
      tlsCa: authority.certificate,
      tlsCertificate: client.certificate,
      tlsKey: client.key,
      user: 'guest',
      password: '',
    }),
    'in the clear where the server wants it so': () => ({ user: 'plain', password: 'plain' }),
  };
  test.each(Object.entries(modes))('%s', async (_name, changes) => {
    await roundTrip(target(changes()));
  });

  test('is used by every program and session', () => {
    const log = readFileSync(join(folder, 'postgres-15/log'), 'utf8');
    const authorized = log
      .split('\n')
      .filter((line) => line.includes('connection authorized: user=postgres') && line.includes('=bkp'));
    expect(authorized.length).toBeGreaterThan(10);
    expect(authorized.filter((line) => !line.includes('SSL enabled'))).toEqual([]);
  });

  test('is not needed where there is none', async () => {
    const { host = '', port, user = '', password = '' } = connectionOf('postgres-15');
    expect(
      await problemOf({ type: 'postgres', host, port: Number(port), user, password, database: 'postgres' }),
    ).toBeUndefined();
    expect(
      await problemOf({
        type: 'postgres',
        host,
        port: Number(port),
        user,
        password,
        database: 'postgres',
        tls: 'require',
      }),
    ).toMatchObject({ message: expect.stringContaining('does not support SSL') as unknown });
  });
});

describe('a connection is refused', () => {
  const refusals: Readonly<Record<string, readonly [() => Partial<Target>, RegExp, RegExp]>> = {
    'in the clear': [() => ({ tls: 'disable' }), /no pg_hba\.conf entry/, /pg_hba/],
    'under a name that the certificate does not have': [
      () => ({ tls: 'verify-full', tlsCa: authority.certificate, host: '127.0.0.1' }),
      /127\.0\.0\.1 is not in the cert/,
      /verify-ca/,
    ],
    'with the certificate of another authority': [
      () => ({ tls: 'verify-ca', tlsCa: other.certificate }),
      /certificate/,
      /tlsCa/,
    ],
    'where another authority is named, also by require': [
      () => ({ tls: 'require', tlsCa: other.certificate }),
      /certificate/,
      /tlsCa/,
    ],
    'by the authorities of the system': [() => ({ tls: 'verify-full' }), /certificate/, /tlsCa/],
    'without the certificate of the client': [
      () => ({ tls: 'require', user: 'guest', password: 'guest' }),
      /requires a valid client certificate/,
      /pg_hba/,
    ],
    'with a certificate that is not there': [
      () => ({ tls: 'verify-full', tlsCa: '/nonexistent/ca.pem' }),
      /cannot read certificate \/nonexistent\/ca\.pem/,
      /tlsCa/,
    ],
  };
  test.each(Object.entries(refusals))('%s', async (_name, [changes, message, hint]) => {
    expect(await problemOf(target(changes()))).toMatchObject({
      message: expect.stringMatching(message) as unknown,
      hint: expect.stringMatching(hint) as unknown,
    });
  });
});
