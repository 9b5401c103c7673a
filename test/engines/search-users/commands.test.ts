import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { makePlace, type Place, type Run, withEnvironment } from '../../cli/run-bkp.ts';
import { connectionOf, startedServices } from '../../services/connection.ts';
import { bulk } from '../elasticsearch/ask.ts';
import { LEAST, roleOf } from './roles.ts';
import { securedIndices } from './secured-indices.ts';
import { makeApiKey, makeToken, PASSWORD, securely } from './users.ts';

async function everythingBelow(folder: string): Promise<string> {
  const all = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = all.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return (await Promise.all(files.map(async (path) => `${path}\n${(await readFile(path)).toString('latin1')}`))).join(
    '\n',
  );
}

const KINDS = {
  password: 'username: "${env:SEARCH_USER}", password: "${env:SEARCH_SECRET}"',
  key: 'apiKey: "${env:SEARCH_SECRET}"',
  token: 'bearerToken: "${env:SEARCH_SECRET}"',
} as const;

/** A place whose policy reaches a server with users, both methods in one backup. */
async function policyFor(service: string, keys: string, prefix: string): Promise<Place> {
  const place = await makePlace();
  onTestFinished(() => place.remove());
  const { url, tlsCa } = securely(service);
  const common = `type: elasticsearch, url: "${url}", tlsCa: ${tlsCa}, ${keys}, globals: false, indices: ["${prefix}*"]`;
  await writeFile(
    place.path('bkp.yaml'),
    `version: 1
name: secured
repositories: { near: { type: directory, path: near } }
targets:
  files: { ${common} }
  server: { ${common}, method: snapshot, snapshotRepository: { name: ${prefix.slice(0, -1)} } }
backups:
  search: { targets: [files, server], repositories: [near], retention: { keepLast: 1 } }
`,
  );
  return place;
}

const SERVICES = startedServices('secured-elasticsearch');
const NEWEST = SERVICES.slice(-1);
const CASES = [
  ...SERVICES.map((service) => [service, 'password'] as const),
  ...NEWEST.map((service) => [service, 'key'] as const),
  ...NEWEST.map((service) => [service, 'token'] as const),
];

test.each(CASES)('%s: nothing that anybody can read holds the %s', async (service, kind) => {
  const { url, prefix, user, may } = await securedIndices(service);
  const [capture, restore] = [LEAST.snapshot.capture, LEAST.snapshot.restore];
  const united = (a: readonly string[], b: readonly string[]): readonly string[] => [...new Set([...a, ...b])];
  const both = { cluster: united(capture.cluster, restore.cluster), indices: united(capture.indices, restore.indices) };
  const role = roleOf(both, prefix, true);
  await may(role);
  const secret = {
    password: async () => PASSWORD,
    key: async () => (await makeApiKey(url, user, role)).apiKey ?? '',
    token: async () => (await makeToken(url, user)).bearerToken ?? '',
  }[kind];
  const keys = await secret();
  const plain = await policyFor(service, KINDS[kind], prefix);
  const place = withEnvironment(plain, { SEARCH_USER: user, SEARCH_SECRET: keys });
  const wrong = withEnvironment(plain, { SEARCH_USER: user, SEARCH_SECRET: `wrong-${keys}` });
  const said: Run[] = [
    await place.bkp('init --repository near'),
    await place.bkp('validate --online'),
    await wrong.bkp('validate --online', 6),
    await wrong.bkp('backup search', 1),
    await place.bkp('backup search'),
    await place.bkp('show search@latest'),
    await place.bkp('verify search@latest'),
    await wrong.bkp('restore search@latest --yes --mode replace --target files', 6),
    await place.bkp('restore search@latest --yes --mode replace --target files'),
    await place.bkp('restore search@latest --yes --mode replace --target server'),
    // The server's snapshot of the first goes with it.
    await place.bkp('backup search'),
    await place.bkp('apply --yes'),
  ];
  expect(said[2]?.stdout).toContain('unable to authenticate');
  const text = `${said.map(({ stdout, stderr }) => stdout + stderr).join('\n')}\n${await everythingBelow(place.folder)}`;
  expect(text).toContain('SEARCH_SECRET');
  const encoded = [keys, Buffer.from(`${user}:${keys}`).toString('base64'), connectionOf(service)['password'] ?? ''];
  for (const one of encoded) expect(text.includes(one), one).toBe(false);
});

test.each(SERVICES)('%s: what a user lacks is told before a run, and ends one', async (service) => {
  const { prefix, user, may, names, url } = await securedIndices(service);
  const place = withEnvironment(await policyFor(service, KINDS.password, prefix), {
    SEARCH_USER: user,
    SEARCH_SECRET: PASSWORD,
  });
  await place.bkp('init --repository near');
  const { cluster, indices } = LEAST.snapshot.capture;
  await may(roleOf({ cluster: cluster.filter((name) => name !== 'create_snapshot'), indices }, prefix));
  const { stdout } = await place.bkp('validate --online', 6);
  expect(stdout).toContain('the user lacks create_snapshot on the cluster');
  const failed = await place.run(['backup', 'search']);
  expect(failed.exitCode).not.toBe(0);
  expect(failed.stdout + failed.stderr).toContain('create_snapshot');
  await may(roleOf(LEAST.snapshot.capture, prefix));
  await place.bkp('backup search');
  await bulk(url, `${prefix}a`, ['{"index":{"_id":"3"}}\n{"n":3}']);
  const there = await names();
  for (const target of ['files', 'server']) {
    const refused = await place.bkp(`restore search@latest --yes --mode replace --target ${target}`, 1);
    expect(refused.stderr).toContain('the user lacks');
    expect(refused.stderr).toContain('nothing was changed');
  }
  expect(await names()).toEqual(there);
});
