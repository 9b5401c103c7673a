import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { TargetOf } from '../../../src/engines/engine.ts';
import { postgres } from '../../../src/engines/postgres.ts';
import { libpqTls, sessionTls } from '../../../src/engines/postgres/server/tls.ts';
import { connectionOf } from '../../services/connection.ts';
import { postgres15 } from '../../services/postgres.ts';
import { psql } from '../../services/postgres-psql.ts';
import { giveToServer } from '../../services/server-process.ts';
import type { RunningService } from '../../services/service.ts';
import { testContext, testFolder } from '../../test-context.ts';
import { postgresFixture } from '../postgres-fixture.ts';
import { newRepository, restore, take } from '../workbench.ts';
import { type Authority, makeAuthority, type SignedPair } from '../certificates.ts';

type Target = TargetOf<'postgres'>;

let folder = '';
let server: RunningService;
let authority: Authority;
let other: Authority;
let client: SignedPair;
let signed: SignedPair;

const sql = (text: string): string =>
  psql({ ...server.connection, host: server.connection['socket'] ?? '' }, 'tls', text);

const dataFolder = (): string => join(server.connection['socket'] ?? '', 'data');

function putFile(name: string, from: string): void {
  writeFileSync(join(dataFolder(), name), readFileSync(from), { mode: 0o600 });
  giveToServer(join(dataFolder(), name));
}

function useCertificate({ certificate, key }: SignedPair): void {
  putFile('server.crt', certificate);
  putFile('server.key', key);
}

/** Lets the server take its settings and certificates anew. */
async function reload(): Promise<void> {
  const before = sql('SELECT pg_conf_load_time()');
  sql('SELECT pg_reload_conf()');
  while (sql('SELECT pg_conf_load_time()') === before) await wait(20);
}

/** A server that lets in by TLS only, `guest` only by certificate and `plain` only in the clear. */
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bkp-tls-'));
  chmodSync(folder, 0o755);
  authority = makeAuthority(folder, 'authority');
  other = makeAuthority(folder, 'other');
  client = authority.sign('guest');
  server = await postgres15.start(folder, folder);
  signed = authority.sign('localhost', 'DNS:localhost');
  useCertificate(signed);
  putFile('root.crt', authority.certificate);
  const rules = [
    'hostssl all guest all cert',
    'hostnossl all plain all scram-sha-256',
    'hostssl all postgres all scram-sha-256',
  ];
  writeFileSync(join(dataFolder(), 'pg_hba.conf'), ['local all all scram-sha-256', ...rules, ''].join('\n'));
  psql({ ...server.connection, host: server.connection['socket'] ?? '' }, 'postgres', 'CREATE DATABASE tls');
  sql(
    `CREATE TABLE t AS SELECT 1 AS v; CREATE ROLE guest LOGIN SUPERUSER; CREATE ROLE plain LOGIN SUPERUSER PASSWORD 'plain'`,
  );
  for (const setting of ["ssl_ca_file = 'root.crt'", 'ssl = on', 'log_connections = on'])
    sql(`ALTER SYSTEM SET ${setting}`);
  await reload();
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

describe('the home folder', () => {
  afterEach(() => vi.unstubAllEnvs());

  test('says nothing of whom to trust, nor who we are', async () => {
    const home = await testFolder();
    const own = join(home, '.postgresql');
    mkdirSync(own);
    copyFileSync(other.certificate, join(own, 'root.crt'));
    writeFileSync(join(own, 'root.crl'), 'none');
    writeFileSync(join(own, 'postgresql.crt'), 'none');
    writeFileSync(join(own, 'postgresql.key'), 'none', { mode: 0o600 });
    vi.stubEnv('HOME', home);
    await roundTrip(target({ tls: 'require' }));
    await roundTrip(target({ tls: 'verify-full', tlsCa: authority.certificate }));
  });
});

describe('the authorities of the system', () => {
  const verified = { tls: 'verify-full' } as const;

  test('are one file for sessions and programs, the first that is there', async () => {
    const bundle = join(await testFolder(), 'bundle.crt');
    writeFileSync(bundle, `${readFileSync(other.certificate, 'utf8')}${readFileSync(authority.certificate, 'utf8')}`);
    const places = ['/nonexistent/first.crt', bundle, other.certificate];
    expect(sessionTls(verified, places)).toMatchObject({ rejectUnauthorized: true, ca: readFileSync(bundle) });
    expect(libpqTls(verified, '/nowhere', places)).toMatchObject({ PGSSLMODE: 'verify-full', PGSSLROOTCERT: bundle });
    await roundTrip(target({ ...verified, tlsCa: bundle }));
  });

  test('are not asked where nothing is verified, or a file is named', () => {
    for (const tls of ['disable', 'prefer', 'require'] as const)
      expect(libpqTls({ tls }, '/nowhere', [other.certificate])).toMatchObject({ PGSSLROOTCERT: '/nowhere' });
    const named = { ...verified, tlsCa: authority.certificate };
    expect(sessionTls(named, [])).toMatchObject({ ca: readFileSync(authority.certificate) });
    expect(libpqTls(named, '/nowhere', [])).toMatchObject({ PGSSLROOTCERT: authority.certificate });
  });

  test('must be there to verify', () => {
    for (const ask of [() => sessionTls(verified, []), () => libpqTls(verified, '/nowhere', [])])
      expect(ask).toThrow(
        expect.objectContaining({
          code: 'target',
          message: expect.stringMatching(/^cannot verify the server: /) as unknown,
          hint: expect.stringContaining('`tlsCa`') as unknown,
        }),
      );
  });
});

describe('a server whose certificate nobody signed', () => {
  let own: Authority;

  beforeAll(async () => {
    mkdirSync(join(folder, 'own'));
    own = makeAuthority(join(folder, 'own'), 'localhost');
    useCertificate({ certificate: own.certificate, key: own.certificate.replace(/pem$/, 'key') });
    await reload();
  });

  afterAll(async () => {
    useCertificate(signed);
    await reload();
  });

  test.each(['verify-ca', 'verify-full'] as const)('is refused by %s, before a program runs', async (tls) => {
    const refusal = {
      message: expect.stringMatching(
        /^cannot connect to database (?:tls|postgres) on localhost:\d+: self-signed certificate$/,
      ) as unknown,
      hint: 'name the file with the certificates that sign that of the server under `tlsCa`',
    };
    expect(await problemOf(target({ tls }))).toMatchObject(refusal);
    const { context } = await testContext();
    await expect(postgres.capture(target({ tls }), context)).rejects.toMatchObject({ code: 'target', ...refusal });
    const { state, problems } = await postgres.inspectDestination(target({ tls }), context);
    expect({ state, problems }).toMatchObject({ problems: [refusal] });
  });

  test('is trusted where its certificate is named', async () => {
    await roundTrip(target({ tls: 'verify-full', tlsCa: own.certificate }));
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
    'with a key that others may read': [
      () => {
        const open = `${client.key}.open`;
        copyFileSync(client.key, open);
        chmodSync(open, 0o644);
        return { tls: 'require', user: 'guest', tlsCertificate: client.certificate, tlsKey: open };
      },
      /^cannot use key .*: others than its owner may read it$/,
      /^chmod 600 /,
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
