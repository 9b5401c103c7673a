import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { testBucket } from '../repositories/s3/bucket.ts';
import { ageKey } from '../streams/age-keys.ts';
import { fill, makeShop, NEAR } from './mirror-shop.ts';
import { jsonOf } from './run-bkp.ts';

const keys = await mkdtemp(join(tmpdir(), 'bkp-keys-'));
afterAll(() => rm(keys, { recursive: true, force: true }));
const mine = await ageKey(keys, 'mine');

test('mirrors of before a repository was encrypted stay where they are', { timeout: 300_000 }, async () => {
  const shop = await makeShop(testBucket(), () => [NEAR]);
  await fill(shop);
  await shop.bkp('apply --yes --init-repositories');
  const [mirror = ''] = await shop.ids();

  const policy = await readFile(shop.path('bkp.yaml'), 'utf8');
  const safe = `  safe: { type: directory, path: safe, encryption: { recipients: [${mine.recipient}] } }`;
  await writeFile(
    shop.path('bkp.yaml'),
    policy
      .replace('method: mirror', 'method: archive')
      .replace('\ntargets:', `${safe}\ntargets:`)
      .replace('repositories: [near]', 'repositories: [near, safe]'),
  );
  await shop.bkp('apply --yes --init-repositories');
  expect(await readdir(shop.path('safe/manifests/shop'))).not.toContain(`${mirror}.json`);
  expect(await readdir(shop.path('safe/manifests/shop'))).toHaveLength(1);

  const { steps, withheld, warnings } = jsonOf(await shop.bkp('plan --format json'));
  expect(steps).toEqual([]);
  expect(withheld).toMatchObject([
    { action: 'copy', address: 'shop@safe', snapshot: mirror, reason: { code: 'unencryptable' } },
  ]);
  const ofMirrors = (warnings as readonly { readonly code: string }[]).filter(({ code }) => code === 'unencryptable');
  expect(ofMirrors).toHaveLength(1);
  await shop.bkp('apply --yes');
});
