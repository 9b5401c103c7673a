import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TargetOf } from '../../../src/engines/engine.ts';
import { mysql } from '../../../src/engines/mysql.ts';
import { openOptionsFile } from '../../../src/engines/mysql/server/options-file.ts';
import { connectionOf } from '../../services/connection.ts';
import { startMariadb } from '../../services/mariadb.ts';
import { mysqlClient } from '../../services/mysql-client.ts';
import { giveToServer } from '../../services/server-process.ts';
import type { RunningService } from '../../services/service.ts';
import { testContext } from '../../test-context.ts';
import { mysqlFixture } from '../mysql-fixture.ts';
import { type Authority, makeAuthority, type SignedPair } from '../certificates.ts';
import { newRepository, restore, take } from '../workbench.ts';

type Target = TargetOf<'mysql'>;

let folder = '';
let server: RunningService;
let authority: Authority;
let other: Authority;
let client: SignedPair;

/** A server with a certificate for its name, and users that it lets in by TLS only, one of them by certificate. */
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bkp-mysql-tls-'));
  chmodSync(folder, 0o755);
  authority = makeAuthority(folder, 'authority');
  other = makeAuthority(folder, 'other');
  client = authority.sign('guest');
  const { certificate, key } = authority.sign('server', 'DNS:localhost');
  for (const path of [certificate, key]) giveToServer(path);
  server = await startMariadb(folder, [
    `--ssl-cert=${certificate}`,
    `--ssl-key=${key}`,
    `--ssl-ca=${authority.certificate}`,
  ]);
  mysqlClient(
    server.connection,
    null,
    `CREATE DATABASE shop; CREATE TABLE shop.t (a int); INSERT INTO shop.t VALUES (1), (2);
     CREATE USER secure@'%' IDENTIFIED BY 'pw' REQUIRE SSL; GRANT ALL ON *.* TO secure@'%';
     CREATE USER guest@'%' REQUIRE X509; GRANT ALL ON *.* TO guest@'%';`,
  );
});

afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

const targetWith = (keys: Partial<Target>): Target => {
  const { port = '' } = server.connection;
  return {
    type: 'mysql',
    host: 'localhost',
    port: Number(port),
    user: 'secure',
    password: 'pw',
    database: 'shop',
    ...keys,
  };
};

const problemOf = async (target: Target): Promise<string> => {
  const { context } = await testContext();
  return (await mysql.probe(target, context)).problems[0]?.message ?? '';
};

describe('a connection', () => {
  const ways = ['prefer', 'require', 'verify-ca', 'verify-full', 'by certificate'] as const;
  const methods = ['dump', 'mydumper'] as const;

  test.each(ways.flatMap((tls) => methods.map((method) => [tls, method] as const)))(
    'is encrypted for sessions and for programs: %s, %s',
    async (tls, method) => {
      const { context, folder: work } = await testContext();
      const repository = await newRepository(work, context);
      const keys: Partial<Target> =
        tls === 'by certificate'
          ? { user: 'guest', password: '', tls: 'require', tlsCertificate: client.certificate, tlsKey: client.key }
          : { tls, ...(tls.startsWith('verify') ? { tlsCa: authority.certificate } : {}) };
      const target = targetWith({ ...keys, method });
      const taken = await take(mysqlFixture, target, repository, context);
      expect(taken.facts).toMatchObject({ tables: { t: 2 } });
      const destination = { ...target, database: `copy ${tls} ${method}` };
      await restore(mysqlFixture, taken, destination, 'new', context);
      expect(mysqlClient(server.connection, destination.database, 'SELECT COUNT(*) FROM t')).toBe('2');
    },
  );

  test('is refused where the server cannot be trusted', async () => {
    expect(await problemOf(targetWith({ tls: 'verify-full', tlsCa: other.certificate }))).toMatch(
      /cannot connect .*certificate/,
    );
    expect(await problemOf(targetWith({ tls: 'verify-full', tlsCa: authority.certificate, host: '127.0.0.1' }))).toBe(
      'cannot verify the server: `host` is the address 127.0.0.1, and certificates are compared with names',
    );
    expect(await problemOf(targetWith({ tls: 'disable' }))).toMatch(/cannot connect .*Access denied/);
    const shared = authority.sign('shared');
    chmodSync(shared.key, 0o644);
    const open = targetWith({ tls: 'require', tlsCertificate: shared.certificate, tlsKey: shared.key });
    expect(await problemOf(open)).toContain('others than its owner may read it');
  });

  test('of mydumper is refused by itself where the server cannot be trusted', async () => {
    const { context } = await testContext();
    for (const tls of ['verify-ca', 'verify-full'] as const) {
      const target = { ...targetWith({ tls, tlsCa: other.certificate }), database: 'shop' };
      const options = await openOptionsFile(target, 'libmariadb', true, context);
      const out = join(context.workDir, tls);
      const argv = ['mydumper', options.argument, '--database=shop', `--outputdir=${out}`] as const;
      const { exitCode, stderr } = await context.run({ argv });
      await options.close();
      expect([exitCode, stderr]).toEqual([1, expect.stringContaining('TLS/SSL error')]);
    }
  });

  test('goes in the clear where the server has no TLS and nobody asked for it', async () => {
    const { host = '', port = '', user = '', password = '' } = connectionOf('mariadb-10.11');
    const plain = { type: 'mysql', host, port: Number(port), user, password, database: 'mysql' } as const;
    expect(await problemOf(plain)).toBe('');
    expect(await problemOf({ ...plain, tls: 'require' })).toMatch(/cannot connect .*(?:secure|SSL|TLS)/i);
  });
});
