import { hash } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { makeSigningKeys } from '../../src/signing/ed25519-key.ts';
import { testBucket } from '../repositories/s3/bucket.ts';
import { farIn, fill, makeShop, NEAR, type Shop } from './mirror-shop.ts';

const keys = makeSigningKeys();

async function signedShop(): Promise<Shop> {
  const shop = await makeShop(testBucket(), (config, endpoint) => [NEAR, farIn(config, endpoint)]);
  await writeFile(shop.path('signing.key'), keys.privateKey, { mode: 0o600 });
  const signing = `signing: { publicKeys: ["${keys.publicKey}"], privateKey: "\${file:signing.key}" }\n`;
  const policy = await readFile(shop.path('bkp.yaml'), 'utf8');
  await writeFile(shop.path('bkp.yaml'), policy.replace('repositories:', `${signing}repositories:`));
  await fill(shop);
  return shop;
}

/** Puts another object into a mirror, and into its list, as somebody who may write there would; gives the new list. */
async function forge(shop: Shop, id: string): Promise<Buffer> {
  const object = join(shop.objects(id), 'a');
  const before = await readFile(object);
  const after = Buffer.from(before.map((byte) => byte ^ 1));
  await rm(object);
  await writeFile(object, after);
  const list = `${shop.objects(id)}.files.ndjson.zst`;
  const lines = zstdDecompressSync(await readFile(list)).toString();
  const forged = zstdCompressSync(lines.replace(hash('sha256', before), hash('sha256', after)));
  await writeFile(list, forged);
  return forged;
}

test('the signature of a mirror stands for every object in it', { timeout: 300_000 }, async () => {
  const shop = await signedShop();
  await shop.bkp('apply --yes --init-repositories');
  expect((await shop.bkp('plan --detailed-exitcode')).stdout).toContain('No changes.');
  expect((await shop.bkp('verify --deep')).stdout).toContain('Good: 2 stored snapshots.');
  const [id = ''] = await shop.ids(' --repository near');

  // An object that the list agrees with is damage all the same: the manifest knows the list. The other copy repairs both.
  await forge(shop, id);
  const found = await shop.bkp('verify --repository near', 1);
  expect(found.stdout + found.stderr).toContain('images.files.ndjson.zst');
  await shop.bkp('apply --yes');
  expect((await readFile(join(shop.objects(id), 'a'))).toString()).toBe('content of a');
  expect((await shop.bkp('verify --deep')).stdout).toContain('Good: 2 stored snapshots.');

  // And a manifest that agrees with the list is not the one that was signed.
  const list = await readFile(`${shop.objects(id)}.files.ndjson.zst`);
  const forged = await forge(shop, id);
  const path = shop.path('near/manifests/shop', `${id}.json`);
  const manifest = (await readFile(path, 'utf8'))
    .replace(hash('sha256', list), hash('sha256', forged))
    .replace(new RegExp(`("storedBytes": )${list.byteLength}\\b`), `$1${forged.byteLength}`);
  expect(manifest).toContain(hash('sha256', forged));
  await writeFile(path, manifest);
  // A machine that never saw the first one.
  await rm(shop.path('.cache'), { recursive: true, force: true });
  expect((await shop.bkp('plan')).stdout).toContain('unsigned');
  await shop.bkp(`restore shop@${id} --repository near --into prefix=back --yes`, 6);
  await shop.bkp(`restore shop@${id} --into prefix=back --yes`);
});

test('single paths of a mirror are refused before anything is touched', { timeout: 300_000 }, async () => {
  const shop = await makeShop(testBucket(), () => [NEAR]);
  await fill(shop);
  await shop.bkp('apply --yes --init-repositories');
  const since = shop.proxy.seen.length;
  const { stderr } = await shop.bkp('restore shop@latest --path b/c --into prefix=back --yes', 4);
  expect(stderr).toContain('cannot restore single paths of images: s3 has none');
  expect(shop.proxy.seen.slice(since)).toEqual([]);
});
