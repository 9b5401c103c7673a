import { once } from 'node:events';
import { rename } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { proxyTo } from './proxy.ts';
import { openShop, type Shop } from './shop.ts';

const SERVICE = 'opensearch-2.19.6';

/** A shop with one snapshot in both repositories. */
async function takenShop(): Promise<Shop> {
  const shop = await openShop(SERVICE);
  await shop.bkp('apply --yes --init-repositories');
  return shop;
}

test('a snapshot leaves a reference, which says so wherever it is shown', async () => {
  const shop = await openShop(SERVICE);
  const online = await shop.bkp('validate --online', 6).catch((error: unknown) => error);
  const { stdout, stderr } = await shop.bkp('apply --yes --init-repositories');
  expect(stdout + stderr).toMatch(/has the reference only of search/);
  expect(String(JSON.stringify(online))).toContain('not registered');
  const [id = ''] = await shop.ids();
  const [name = ''] = await shop.onServer();
  expect(name).toContain(`bkp-${id.toLowerCase()}-search-`);
  expect((await shop.bkp('list')).stdout).toContain('reference');
  expect((await shop.bkp(`show ${id}`)).stdout).toContain(name);
  expect((await shop.bkp('plan')).stdout).toContain('No changes.');
  await shop.bkp(`verify ${id} --deep`);
  await shop.ask('DELETE', `${shop.prefix}_orders`);
  await shop.bkp(`restore ${id} --yes --mode replace`);
  expect(await shop.ask('GET', `${shop.prefix}_all/_count`)).toMatchObject({ count: 50 });
});

test('what the server keeps goes with the last manifest that names it', async () => {
  const shop = await takenShop();
  const [first = ''] = await shop.ids();
  await shop.bkp('backup shop');
  await shop.bkp('backup shop');
  await shop.bkp('apply --yes');
  const ids = await shop.ids();
  expect(ids).toHaveLength(2);
  expect(ids).not.toContain(first);
  expect((await shop.onServer()).map((name) => name.slice(4, 29).toUpperCase())).toEqual(
    ids.map((id) => id.toUpperCase()).toSorted(),
  );
  const [, older = ''] = ids;
  await shop.bkp(`destroy shop@${older} --yes --repository near`);
  expect(await shop.onServer()).toHaveLength(2);
  await shop.bkp(`destroy shop@${older} --yes --repository far`);
  expect(await shop.onServer()).toHaveLength(1);
});

test('a repository that cannot be read keeps it, and a later run finds it again', async () => {
  const shop = await openShop(SERVICE);
  await shop.policy({ repositories: 'near' });
  await shop.bkp('apply --yes --init-repositories');
  await shop.bkp('backup shop');
  const [, older = ''] = await shop.ids();
  await rename(shop.path('far'), shop.path('away'));
  const run = await shop.run(['destroy', `shop@${older}`, '--yes']);
  expect(run.stderr).toContain('stays on the server');
  expect(await shop.onServer()).toHaveLength(2);
  expect((await shop.run(['plan'])).stdout).not.toContain('left with its server');
  await rename(shop.path('away'), shop.path('far'));
  expect((await shop.bkp('plan')).stdout).toContain('no manifest names what search left with its server');
  await shop.bkp('apply --yes');
  expect(await shop.onServer()).toHaveLength(1);
});

test('one that vanished is drift, and verification marks it damaged', async () => {
  const shop = await takenShop();
  const [id = ''] = await shop.ids();
  const [name = ''] = await shop.onServer();
  await shop.ask('DELETE', `_snapshot/${shop.prefix}/${name}`);
  expect((await shop.bkp('plan')).stdout).toContain('gone from the server');
  expect((await shop.bkp('status', 2)).stdout).toContain('gone from the server');
  const { stdout } = await shop.bkp(`verify ${id}`, 1);
  expect(stdout).toContain('is gone');
  expect((await shop.bkp('list')).stdout).toContain('DAMAGED');
  const restoring = await shop.run(['restore', id, '--yes', '--mode', 'replace']);
  expect(restoring.exitCode).not.toBe(0);
  expect(await shop.ask('GET', `${shop.prefix}_all/_count`)).toMatchObject({ count: 50 });
});

test('a server that cannot be reached is a warning of the plan', async () => {
  const shop = await takenShop();
  await shop.policy({ server: 'http://127.0.0.1:9' });
  const { stdout } = await shop.bkp('plan');
  expect(stdout).toContain('cannot be looked for');
});

test("what others have with the server is nobody's concern, and what nobody released stays", async () => {
  const shop = await takenShop();
  const origin = { policy: 'shop', backup: 'shop', snapshot: '20200101T000000Z-aaaaaaaa', target: 'search', run: 'x' };
  const put = (name: string, metadata: unknown): Promise<unknown> =>
    shop.ask('PUT', `_snapshot/${shop.prefix}/${name}?wait_for_completion=true`, {
      indices: `${shop.prefix}_people`,
      metadata,
    });
  await put('ours', { bkp: origin });
  await put('other-policy', { bkp: { ...origin, policy: 'another' } });
  await put('by-hand', {});
  await shop.bkp('apply --yes');
  const { stdout } = await shop.bkp('plan');
  expect(stdout).toContain('No changes.');
  expect(stdout).toContain('left with the server of search: ours; it is left alone');
  expect(stdout).not.toMatch(/by-hand|other-policy/);
  expect(await shop.onServer()).toEqual([expect.stringMatching(/^bkp-/), 'by-hand', 'other-policy', 'ours']);
});

test('a snapshot that somebody removed takes nothing from the server, and works again once it is back', async () => {
  const shop = await takenShop();
  const [id = ''] = await shop.ids();
  const move = async (from: (name: string) => string, to: (name: string) => string): Promise<void> => {
    for (const name of [`manifests/shop/${id}.json`, `snapshots/shop/${id}`])
      for (const repository of ['near', 'far'])
        await rename(shop.path(from(`${repository}/${name}`)), shop.path(to(`${repository}/${name}`)));
  };
  const away = (name: string): string => name.replaceAll('/', '-');
  const here = (name: string): string => name;
  await move(here, away);
  await shop.bkp('apply --yes');
  expect(await shop.onServer()).toHaveLength(2);
  expect((await shop.bkp('plan')).stdout).toMatch(/left with the server of search: bkp-\S+; it is left alone/);
  await move(away, here);
  await shop.ask('DELETE', `${shop.prefix}_orders`);
  await shop.bkp(`restore ${id} --yes --mode replace`);
  expect(await shop.ask('GET', `${shop.prefix}_all/_count`)).toMatchObject({ count: 50 });
});

test('a capture that is killed leaves what the next apply cleans, also with the server', async () => {
  const shop = await takenShop();
  let child: ReturnType<Shop['start']> | undefined;
  // The server takes it, and nobody hears of it.
  const server = await proxyTo(shop.url, async ({ method }, send) => {
    const answer = await send();
    if (method === 'PUT') child?.kill('SIGKILL');
    return answer;
  });
  await shop.policy({ server });
  child = shop.start(['backup', 'shop']);
  await once(child, 'exit');
  expect(await shop.onServer()).toHaveLength(2);
  await shop.policy();
  expect((await shop.bkp('plan')).stdout).toContain('no manifest names what search left with its server');
  await shop.bkp('apply --yes');
  expect(await shop.onServer()).toHaveLength(1);
  expect((await shop.bkp('plan')).stdout).toContain('No changes.');
});

test('a capture whose check fails leaves nothing with the server', async () => {
  const shop = await takenShop();
  await shop.policy({ checks: `{ facts: documents.${shop.prefix}_orders, expect: "> 50" }` });
  const run = await shop.run(['backup', 'shop']);
  expect(run.stderr + run.stdout).toContain('expected > 50');
  expect(await shop.onServer()).toHaveLength(1);
});

test('a second runner does not clean what a first one is taking', async () => {
  const shop = await takenShop();
  let seen = '';
  const server = await proxyTo(shop.url, async ({ method }, send) => {
    const answer = await send();
    if (method === 'PUT') {
      await shop.policy();
      seen = (await shop.bkp('plan')).stdout;
    }
    return answer;
  });
  await shop.policy({ server });
  await shop.bkp('backup shop');
  expect(seen).not.toBe('');
  expect(seen).not.toContain('no manifest names');
  expect(await shop.onServer()).toHaveLength(2);
});
