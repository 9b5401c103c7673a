import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { connectionOf } from './services/connection.ts';
import { adminOf, STORE, versionedBucket } from './repositories/s3/bucket.ts';

const ROOT = new URL('..', import.meta.url).pathname;

interface Copied {
  readonly root: string;
  readonly bkp: (args: string) => string;
}

/** A copy of an example with its database, and bkp as somebody who has its environment runs it. */
function copyOf(example: string, environment: Readonly<Record<string, string>>): Copied {
  const root = mkdtempSync(join(tmpdir(), `bkp-${example}-`));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  cpSync(join(ROOT, 'examples', example), root, { recursive: true });
  mkdirSync(join(root, 'data/images'), { recursive: true });
  writeFileSync(join(root, 'data/images/1.png'), 'png');
  const database = new DatabaseSync(join(root, 'data/shop.db'));
  database.exec("CREATE TABLE orders (id INTEGER PRIMARY KEY, what TEXT); INSERT INTO orders (what) VALUES ('one')");
  database.close();
  const env = { ...process.env, XDG_CACHE_HOME: join(root, '.cache'), ...environment };
  const bkp = (args: string): string =>
    execFileSync('node', [join(ROOT, 'src/bkp.cjs'), ...args.split(' ')], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env,
    });
  return { root, bkp };
}

function ordersIn(root: string): unknown {
  const database = new DatabaseSync(join(root, 'data/shop.db'), { readOnly: true });
  try {
    return database.prepare('SELECT what FROM orders').all();
  } finally {
    database.close();
  }
}

async function offsite(): Promise<Copied & { readonly bucket: string }> {
  const { bucket, endpoint = '', accessKeyId = '', secretAccessKey = '' } = await versionedBucket('locks');
  const copied = copyOf('offsite', {
    OFFSITE_BUCKET: bucket,
    OFFSITE_ENDPOINT: endpoint,
    OFFSITE_KEY: accessKeyId,
    OFFSITE_SECRET: secretAccessKey,
  });
  writeFileSync(join(copied.root, 'recipients.txt'), copied.bkp('keygen age identity.txt'));
  return { ...copied, bucket };
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
  expect(ordersIn(root)).toMatchObject([{ what: 'one' }]);
});

test('buckets is applied, and comes back after bucket and database were emptied', async () => {
  const { endpoint = '', accessKeyId = '', secretAccessKey = '' } = connectionOf(STORE);
  const { root, bkp } = copyOf('buckets', {
    IMAGES_ENDPOINT: endpoint,
    IMAGES_KEY: accessKeyId,
    IMAGES_SECRET: secretAccessKey,
  });
  const [Bucket, admin] = ['shop-images', adminOf(STORE)];
  await admin.createBucket({ Bucket });
  onTestFinished(async () => {
    await deleteAll(Bucket);
    await admin.deleteBucket({ Bucket });
  });
  for (const name of ['1.png', '2.png'])
    await admin.putObject({ Bucket, Key: `products/${name}`, Body: name, ContentType: 'image/png' });
  await admin.putObject({ Bucket, Key: 'originals/1.raw', Body: 'raw', Metadata: { by: 'ann' } });
  await admin.putObject({ Bucket, Key: 'others/3.png', Body: 'of somebody else' });
  expect(bkp('validate')).toContain('valid bkp.yaml');
  expect(bkp('plan --init-repositories')).toContain('first-snapshot');
  bkp('apply --yes --init-repositories');
  expect(bkp('plan')).toContain('No changes.');

  rmSync(join(root, 'data/shop.db'));
  for (const Key of ['products/1.png', 'products/2.png', 'originals/1.raw']) await admin.deleteObject({ Bucket, Key });
  bkp('restore shop@latest --yes');
  expect(ordersIn(root)).toMatchObject([{ what: 'one' }]);
  const back = await admin.getObject({ Bucket, Key: 'products/2.png' });
  expect(back.ContentType).toBe('image/png');
  expect(await back.Body?.transformToString()).toBe('2.png');
  const original = await admin.getObject({ Bucket, Key: 'originals/1.raw' });
  expect(original.Metadata).toEqual({ by: 'ann' });
  expect(await original.Body?.transformToString()).toBe('raw');
  bkp('verify --deep');
});
