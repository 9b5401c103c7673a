import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { digestDatabase, inDatabase } from './engines/mongodb/client.ts';
import { connectionOf } from './services/connection.ts';

const ROOT = new URL('..', import.meta.url).pathname;
const server = connectionOf('ferretdb-2.7.0');

test('mongodb is validated, planned, applied, damaged and restored', async () => {
  const root = mkdtempSync(join(tmpdir(), 'bkp-example-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  cpSync(join(ROOT, 'examples/mongodb'), root, { recursive: true });
  onTestFinished(async () => void (await inDatabase(server, 'shop', (db) => db.dropDatabase())));
  await inDatabase(server, 'shop', async (db) => {
    await db.dropDatabase();
    await db.collection('orders').insertMany(Array.from({ length: 50 }, (_, n) => ({ number: n, who: `client ${n}` })));
    await db.collection('orders').createIndex({ number: 1 }, { unique: true });
    await db.collection('sessions').insertOne({ token: 'left out' });
  });
  const bkp = (...args: readonly string[]): string =>
    execFileSync('node', [join(ROOT, 'src/bkp.cjs'), ...args], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        XDG_CACHE_HOME: join(root, '.cache'),
        SHOP_MONGO_HOST: server['host'],
        SHOP_MONGO_PORT: server['port'],
        SHOP_MONGO_USER: server['user'],
        SHOP_MONGO_PASSWORD: server['password'],
        SHOP_MONGO_TOOLS: server['tools'],
      },
    });
  expect(bkp('validate')).toContain('valid bkp.yaml');
  expect(bkp('plan', '--init-repositories')).toContain('first-snapshot');
  bkp('apply', '--yes', '--init-repositories');
  expect(bkp('plan')).toContain('No changes.');
  expect(bkp('validate', '--online')).toContain('mongodump');
  expect(bkp('verify', '--deep')).not.toContain('DAMAGED');

  await inDatabase(server, 'shop', (db) => db.dropCollection('sessions'));
  const before = await inDatabase(server, 'shop', digestDatabase);
  await inDatabase(server, 'shop', (db) => db.dropDatabase());
  bkp('restore', 'shop@latest', '--yes');
  expect(await inDatabase(server, 'shop', digestDatabase)).toBe(before);

  await inDatabase(server, 'shop', async (db) => {
    await db.collection('orders').deleteMany({ number: { $gt: 10 } });
    await db.collection('orders').updateOne({ number: 1 }, { $set: { who: 'somebody else' } });
  });
  bkp('restore', 'shop@latest', '--yes', '--mode', 'replace');
  expect(await inDatabase(server, 'shop', digestDatabase)).toBe(before);

  await inDatabase(server, 'shop', (db) => db.collection('orders').deleteMany({ number: { $lt: 10 } }));
  bkp('restore', 'shop@latest', '--yes', '--mode', 'merge');
  expect(await inDatabase(server, 'shop', digestDatabase)).toBe(before);
  expect(bkp('list')).toContain('safety');
});
