import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { connectionOf } from '../../services/connection.ts';
import { ask, askJson } from '../elasticsearch/ask.ts';
import type { Target } from '../elasticsearch/own-indices.ts';

/** What a user may do, in the words of the server. */
export interface Role {
  readonly cluster: readonly string[];
  readonly indices: readonly { readonly names: readonly string[]; readonly privileges: readonly string[] }[];
}

export const PASSWORD = 'canary-password-5c2e';

/** Where a superuser reaches a server with users without being asked, for as long as the test runs. */
export async function asSuperuser(service: string): Promise<string> {
  const { url = '', username, password, authority = '' } = connectionOf(service);
  const ca = readFileSync(authority);
  const server = createServer((incoming, outgoing) => {
    const { method, headers } = incoming;
    const passed = request(
      new URL(incoming.url ?? '/', url),
      { method, ca, auth: `${username}:${password}`, headers: { ...headers, host: new URL(url).host } },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(outgoing);
      },
    );
    passed.on('error', () => outgoing.destroy());
    incoming.pipe(passed);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** How bkp reaches a server with users. */
export function securely(service: string): Pick<Target, 'url' | 'tlsCa'> {
  const { url = '', authority = '' } = connectionOf(service);
  return { url, tlsCa: authority };
}

/** Makes a user who may do that; goes with the test. */
export async function makeUser(
  admin: string,
  name: string,
  role: Role,
): Promise<Pick<Target, 'username' | 'password'>> {
  onTestFinished(async () => {
    await ask(admin, 'DELETE', `_security/user/${name}`).catch(() => '');
    await ask(admin, 'DELETE', `_security/role/${name}`).catch(() => '');
  });
  await setRole(admin, name, role);
  await askJson(admin, 'PUT', `_security/user/${name}`, { password: PASSWORD, roles: [name] });
  return { username: name, password: PASSWORD };
}

export const setRole = (admin: string, name: string, role: Role): Promise<unknown> =>
  askJson(admin, 'PUT', `_security/role/${name}`, role);

/** A key that may do that. */
export async function makeApiKey(admin: string, name: string, role: Role): Promise<Pick<Target, 'apiKey'>> {
  const made = await askJson(admin, 'POST', '_security/api_key', { name, role_descriptors: { [name]: role } });
  return { apiKey: (made as { readonly encoded: string }).encoded };
}

/** A token of a user, as it is handed out for twenty minutes. */
export async function makeToken(admin: string, username: string): Promise<Pick<Target, 'bearerToken'>> {
  const made = await askJson(admin, 'POST', '_security/oauth2/token', {
    grant_type: 'password',
    username,
    password: PASSWORD,
  });
  return { bearerToken: (made as { readonly access_token: string }).access_token };
}
