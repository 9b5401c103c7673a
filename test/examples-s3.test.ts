import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { adminOf, STORE, versionedBucket } from './repositories/s3/bucket.ts';

const ROOT = new URL('..', import.meta.url).pathname;

/** A copy of the example with its data, and bkp as somebody who has its environment runs it. */
async function offsite(): Promise<{
  readonly root: string;
  readonly bucket: string;
  readonly bkp: (args: string) => string;
}> {
  const { bucket, endpoint = '', accessKeyId = '', secretAccessKey = '' } = await versionedBucket('locks');
  const root = mkdtempSync(join(tmpdir(), 'bkp-offsite-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  cpSync(join(ROOT, 'examples/offsite'), root, { recursive: true });
  mkdirSync(join(root, 'data/images'), { recursive: true });
  writeFileSync(join(root, 'data/images/1.png'), 'png');
  const database = new DatabaseSync(join(root, 'data/shop.db'));
  database.exec("CREATE TABLE orders (id INTEGER PRIMARY KEY, what TEXT); INSERT INTO orders (what) VALUES ('one')");
  database.close();
  const env = {
    ...process.env,
    XDG_CACHE_HOME: join(root, '.cache'),
    OFFSITE_BUCKET: bucket,
    OFFSITE_ENDPOINT: endpoint,
    OFFSITE_KEY: accessKeyId,
    OFFSITE_SECRET: secretAccessKey,
  };
  const bkp = (args: string): string =>
    execFileSync('node', [join(ROOT, 'src/bkp.cjs'), ...args.split(' ')], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env,
    });
  writeFileSync(join(root, 'recipients.txt'), bkp('keygen age identity.txt'));
  return { root, bucket, bkp };
}

/** Deletes everything as somebody with all rights but the one to bypass locks can. */
async function deleteAll(bucket: string): Promise<void> {
  const admin = adminOf(STORE);
  const { Contents = [] } = await admin.listObjectsV2({ Bucket: bucket });
  for (const { Key } of Contents) await admin.deleteObject({ Bucket: bucket, Key });
}

test('offsite is applied, and comes back after machine, disk and bucket were emptied', async () => {
  const { root, bucket, bkp } = await offsite();
  expect(bkp('validate')).toContain('valid bkp.yaml');
  expect(bkp('plan --init-repositories')).toContain('first-snapshot');
  bkp('apply --yes --init-repositories');
  expect(bkp('plan')).toContain('No changes.');
  const id = /\d{8}T\d{6}Z-\w{8}/.exec(bkp('list --repository bucket'))?.[0] ?? '';

  for (const lost of ['data/shop.db', 'data/images', 'backups']) rmSync(join(root, lost), { recursive: true });
  await deleteAll(bucket);
  expect(bkp('list --repository bucket --deleted')).toContain(id);
  bkp(`restore shop@${id} --repository bucket --yes --identity identity.txt`);
  expect(readFileSync(join(root, 'data/images/1.png'), 'utf8')).toBe('png');
  const database = new DatabaseSync(join(root, 'data/shop.db'), { readOnly: true });
  expect(database.prepare('SELECT what FROM orders').all()).toMatchObject([{ what: 'one' }]);
  database.close();
});
