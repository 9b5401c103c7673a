import { readdirSync, rmSync, statSync } from 'node:fs';
import { cp, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  adminOf,
  endLocks,
  objectsIn,
  STORE,
  testBucket,
  versionedBucket,
  versionsIn,
} from '../repositories/s3/bucket.ts';
import type { Passing } from '../repositories/s3/proxy.ts';
import { farIn, fill, flip, KEYS, KEYS_IN_ENVIRONMENT, makeShop, NEAR, readFrom } from './mirror-shop.ts';
import { jsonOf } from './run-bkp.ts';

test('a mirror goes through its life in a folder and a bucket', { timeout: 600_000 }, async () => {
  const shop = await makeShop(testBucket(), (config, endpoint) => [NEAR, farIn(config, endpoint)]);
  const { put, proxy, objects } = shop;
  await fill(shop);
  await shop.bkp('apply --yes --init-repositories');
  expect((await shop.bkp('plan --detailed-exitcode')).stdout).toContain('No changes.');
  expect((await shop.bkp('verify --deep')).stdout).toContain('Good: 2 stored snapshots.');
  const [first = ''] = await shop.ids(' --repository near');
  expect(readdirSync(objects(first))).toHaveLength(KEYS.length);
  expect((await shop.bkp('show shop@latest')).stdout).toContain(`images/  ${KEYS.length} files`);

  // What did not change is not read again, and not sent again; what stands with it is as it is now.
  await put('a', 'another');
  await adminOf(STORE).putObjectTagging({
    Bucket: shop.bucket,
    Key: 'from/Ä',
    Tagging: { TagSet: [{ Key: 'new', Value: 'tag' }] },
  });
  let since = proxy.seen.length;
  await shop.bkp('backup shop');
  const [second = ''] = await shop.ids(' --repository near');
  expect(second).not.toBe(first);
  expect(readFrom(proxy, since, '/from/')).toBe(1);
  const same = (name: string): boolean =>
    statSync(join(objects(first), name)).ino === statSync(join(objects(second), name)).ino;
  expect(readdirSync(objects(second)).filter((name) => !same(name))).toEqual(['a']);
  await shop.bkp('apply --yes');
  const sent = proxy.seen.slice(since).filter((one) => one.method === 'PUT' && one.path.includes(`${second}/images/`));
  expect(sent.filter((one) => one.headers['x-amz-copy-source'] === undefined)).toHaveLength(1);
  expect(sent).toHaveLength(KEYS.length);

  // Damage is named by object; what is missing or wrong comes from the other copy, and nothing else.
  flip(join(objects(second), 'b.txt'));
  rmSync(join(objects(second), 'x%20y'));
  const found = await shop.bkp('verify --repository near', 1);
  expect(found.stdout + found.stderr).toContain('2 of its 11 files are not what it says');
  expect(found.stdout + found.stderr).toMatch(/"b\.txt".*"x y"/s);
  expect((await shop.bkp('plan')).stdout).toContain('replica-corrupt');
  since = proxy.seen.length;
  await shop.bkp('apply --yes');
  expect(readFrom(proxy, since, `${second}/images/`)).toBe(2);
  expect((await shop.bkp('verify --deep')).stdout).toContain('Good: 4 stored snapshots.');

  // The oldest goes with all its objects, and takes nothing from the others.
  await shop.bkp('backup shop');
  await shop.bkp('apply --yes');
  expect(await shop.ids(' --repository near')).toHaveLength(2);
  expect(readdirSync(shop.path('near/snapshots/shop'))).not.toContain(first);
  const inBucket = await objectsIn({ type: 's3', bucket: shop.bucket });
  expect(inBucket.filter((key) => key.includes(`${first}/`))).toEqual([]);
  expect((await shop.bkp('verify --deep')).stdout).toContain('Good: 4 stored snapshots.');

  await shop.bkp('restore shop@latest --repository far --into prefix=back --yes');
  const back = await adminOf(STORE).getObject({ Bucket: shop.bucket, Key: 'back/b/c' });
  expect(await back.Body?.transformToString()).toBe('content of b/c');
  expect(back).toMatchObject({ ContentType: 'text/odd', TagCount: 1 });
  await shop.bkp('download shop@latest out');
  expect((await readFile(shop.path('out/images/b%2Fc'))).toString()).toBe('content of b/c');
  expect((await adminOf(STORE).getObject({ Bucket: shop.bucket, Key: 'back/Ä' })).TagCount).toBe(1);
  expect((await shop.bkp('download shop@latest --print-url', 4)).stderr).toContain('--target');

  const [newest = ''] = await shop.ids(' --repository near');
  await shop.bkp(`destroy shop@${second} --yes`);
  expect(readdirSync(shop.path('near/snapshots/shop'))).toEqual([newest]);
});

test('what a capture that was cut short left is cleaned, and only that', { timeout: 300_000 }, async () => {
  const shop = await makeShop(testBucket(), () => [NEAR]);
  const { proxy, put } = shop;
  await fill(shop);
  await put('large', 'x'.repeat(9 * 1024 * 1024));
  await shop.bkp('apply --yes --init-repositories');
  const [id = ''] = await shop.ids();
  // The process dies while the last object is on its way.
  await put('large', 'y'.repeat(9 * 1024 * 1024));
  const child = shop.start(['backup', 'shop'], { env: KEYS_IN_ENVIRONMENT });
  proxy.meet((one) => {
    if (one.method === 'GET' && one.path.endsWith('/from/large')) child.kill('SIGKILL');
    return undefined;
  });
  await new Promise((resolve) => child.once('close', resolve));
  proxy.meet(() => undefined);
  const left = readdirSync(shop.path('near/snapshots/shop')).filter((name) => name !== id);
  expect(left).toHaveLength(1);
  await mkdir(shop.path('near/snapshots/shop', left[0] ?? '', 'foreign'));
  await cp(shop.path('bkp.yaml'), shop.path('near/snapshots/shop', left[0] ?? '', 'foreign', 'file'));
  expect((await shop.bkp('plan')).stdout).toContain('partial-upload');
  await shop.bkp('apply --yes');
  const rest = readdirSync(shop.path('near/snapshots/shop', left[0] ?? ''));
  expect(rest).toEqual(['foreign']);
  expect((await shop.bkp('verify --deep')).stdout).toContain('Good: 1 stored snapshot.');
});

test('a copy goes on where it was cut short, and never spreads damage', { timeout: 300_000 }, async () => {
  const shop = await makeShop(testBucket(), (config, endpoint) => [NEAR, farIn(config, endpoint)]);
  const { proxy, objects } = shop;
  await fill(shop);
  await shop.bkp('init --repository near');
  await shop.bkp('init --repository far');
  const arrived = (one: Passing): boolean => one.method === 'PUT' && one.path.includes('/images/');
  let puts = 0;
  proxy.meet((one) => (arrived(one) && ++puts > 8 ? { kind: 'answer', status: 403, code: 'AccessDenied' } : undefined));
  await shop.bkp('apply --yes', 7);
  proxy.meet(() => undefined);
  const since = proxy.seen.length;
  await shop.bkp('apply --yes');
  expect(proxy.seen.slice(since).filter(arrived)).toHaveLength(KEYS.length - 8);
  expect((await shop.bkp('verify --deep')).stdout).toContain('Good: 2 stored snapshots.');

  const before = await shop.ids(' --repository near');
  proxy.meet((one) => (arrived(one) ? { kind: 'answer', status: 403, code: 'AccessDenied' } : undefined));
  await shop.put('a', 'another');
  await shop.bkp('backup shop', 7);
  const [id = ''] = (await shop.ids(' --repository near')).filter((one) => !before.includes(one));
  proxy.meet(() => undefined);
  flip(join(objects(id), 'a'));
  const said = await shop.bkp('apply --yes --only copy', 1);
  expect(said.stdout + said.stderr).toContain('images/a');
  expect(await shop.ids(' --repository far')).toEqual(before);
  const { snapshots } = jsonOf(await shop.bkp('list --format json --repository near'));
  expect(snapshots).toContainEqual(expect.objectContaining({ id, damaged: true }));
});

test('an abort leaves nothing of a snapshot, whatever was on its way', { timeout: 300_000 }, async () => {
  const shop = await makeShop(testBucket(), () => [NEAR]);
  const { proxy, put } = shop;
  await fill(shop);
  await put('large', 'x'.repeat(9 * 1024 * 1024));
  await shop.bkp('init --repository near');
  const child = shop.start(['backup', 'shop'], { env: KEYS_IN_ENVIRONMENT });
  proxy.meet((one) => {
    // A second signal would end it at once.
    if (one.path.endsWith('/from/large') && !child.killed) child.kill('SIGTERM');
    return undefined;
  });
  expect(await new Promise((resolve) => child.once('close', resolve))).toBe(130);
  const left = readdirSync(shop.path('near'), { recursive: true, encoding: 'utf8' });
  expect(left.filter((name) => /^(?:snapshots|manifests|\.tmp)\/./.test(name))).toEqual([]);
});

test('every object is locked, and held with its snapshot', { timeout: 300_000 }, async () => {
  const lock = ', objectLock: { mode: governance, days: 7 }';
  const shop = await makeShop(versionedBucket('locks'), (config, endpoint) => [farIn(config, endpoint, lock)]);
  const { put, bucket } = shop;
  await put('a', 'one');
  await put('b/c', 'two');
  await shop.bkp('apply --yes --init-repositories');
  const [id = ''] = await shop.ids();
  const admin = adminOf(STORE);
  const keys = (await objectsIn({ type: 's3', bucket })).filter((key) => key.includes(`${id}/images/`));
  expect(keys.map((key) => key.replace(/.*\//, ''))).toEqual(['a', 'b%2Fc']);
  for (const Key of keys) {
    const { Retention } = await admin.getObjectRetention({ Bucket: bucket, Key });
    expect(Retention?.RetainUntilDate?.getTime()).toBeGreaterThan(Date.now() + 6 * 86_400_000);
  }
  await shop.bkp('protect shop@latest');
  for (const Key of keys)
    expect((await admin.getObjectLegalHold({ Bucket: bucket, Key })).LegalHold?.Status).toBe('ON');
  await shop.bkp('unprotect shop@latest');

  // Somebody deletes all that can be deleted: the versions still are the snapshot.
  for (const Key of await objectsIn({ type: 's3', bucket }))
    if (Key.includes(id)) await admin.deleteObject({ Bucket: bucket, Key });
  await shop.bkp(`restore shop@${id} --into prefix=back --yes`);
  const back = await admin.getObject({ Bucket: bucket, Key: 'back/b/c' });
  expect(await back.Body?.transformToString()).toBe('two');
  await endLocks({ bucket });
});

test('a bucket that keeps versions keeps none of what was destroyed', { timeout: 300_000 }, async () => {
  const shop = await makeShop(versionedBucket('versions'), (config, endpoint) => [farIn(config, endpoint)]);
  const ofSnapshot = async (id: string): Promise<readonly string[]> =>
    (await versionsIn({ bucket: shop.bucket })).map(({ Key }) => Key).filter((key) => key.includes(`${id}/`));
  await fill(shop);
  await shop.bkp('apply --yes --init-repositories');
  const [id = ''] = await shop.ids();
  expect(await ofSnapshot(id)).not.toEqual([]);
  await shop.bkp(`destroy shop@${id} --yes --force shop@${id}`);
  expect(await ofSnapshot(id)).toEqual([]);
});
