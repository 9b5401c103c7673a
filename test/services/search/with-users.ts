import { pbkdf2Sync, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { makeAuthority } from '../../engines/certificates.ts';
import type { RunningService, Service } from '../service.ts';
import { elasticsearches, startElasticsearch } from './elasticsearch.ts';

const NAME = 'secured-elasticsearch';

/** As the file realm keeps it. */
function hashed(password: string): string {
  const [rounds, salt] = [10_000, randomBytes(32)];
  const hash = pbkdf2Sync(password, salt, rounds, 32, 'sha512');
  return `{PBKDF2}${rounds}$${salt.toString('base64')}$${hash.toString('base64')}`;
}

/** Elasticsearch that asks who comes, with a superuser, a trial licence for tokens, and a certificate of its own authority. */
async function start(version: string, workDir: string): Promise<RunningService> {
  const [username, password] = ['root', `canary-${randomBytes(12).toString('hex')}`];
  const folder = join(workDir, `authority-${version}`);
  mkdirSync(folder);
  const authority = makeAuthority(folder, 'search-authority');
  const signed = authority.sign('search-server', 'IP:127.0.0.1,DNS:localhost');
  const running = await startElasticsearch(version, workDir, {
    name: NAME,
    settings: (conf) => {
      writeFileSync(join(conf, 'users'), `${username}:${hashed(password)}\n`);
      writeFileSync(join(conf, 'users_roles'), `superuser:${username}\n`);
      // With the authority, so that a fingerprint of it finds it.
      const chain = [signed.certificate, authority.certificate].map((path) => readFileSync(path, 'utf8')).join('');
      writeFileSync(join(conf, 'server.pem'), chain);
      writeFileSync(join(conf, 'server.key'), readFileSync(signed.key));
      return {
        'xpack.security.enabled': true,
        'xpack.security.authc.token.enabled': true,
        'xpack.license.self_generated.type': 'trial',
        'xpack.security.http.ssl.enabled': true,
        'xpack.security.http.ssl.certificate': join(conf, 'server.pem'),
        'xpack.security.http.ssl.key': join(conf, 'server.key'),
      };
    },
    look: (port) =>
      new Promise((resolve) => {
        const asked = request(
          {
            host: '127.0.0.1',
            port,
            path: '/_cluster/health',
            auth: `${username}:${password}`,
            ca: readFileSync(authority.certificate),
          },
          (response) => {
            response.resume();
            resolve(response.statusCode ?? 0);
          },
        );
        asked.on('error', () => resolve(0)).end();
      }),
  });
  return { ...running, connection: { ...running.connection, username, password, authority: authority.certificate } };
}

/** The same servers as those without users, which are installed once. */
export const withUsers: readonly Service[] = elasticsearches.map(({ version, install }) => ({
  name: NAME,
  version,
  kind: 'search-users',
  set: 'all',
  install,
  start: (_folder, workDir) => start(version, workDir),
}));
