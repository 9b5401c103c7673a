import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { elasticsearch } from '../../../src/engines/elasticsearch.ts';
import { connectionOf, startedServices } from '../../services/connection.ts';
import { ask, askJson, bulk, deleteIndices, indicesBelow } from './ask.ts';
import { ORIGIN, ownSnapshots, SERVICE } from './own-snapshots.ts';
import { startOwnServer } from './own-server.ts';
import { openShop } from './shop.ts';

const { repo = '' } = connectionOf(SERVICE);

describe('another cluster that reaches the place of the first one', async () => {
  // What is read is all that is shared.
  const second = await startOwnServer('2.19.6', { 'path.repo': repo });
  afterAll(() => second.stop());
  const { url: there = '' } = second.connection;

  const register = async (name: string, body: unknown): Promise<void> => {
    await askJson(there, 'PUT', `_snapshot/${name}`, body);
    onTestFinished(async () => void (await ask(there, 'DELETE', `_snapshot/${name}`)));
  };
  const cleaned = (prefix: string): void => onTestFinished(() => deleteIndices(there, prefix));

  test.each([
    ['fs', (location: string) => ({ location, readonly: true })],
    ['url', (location: string) => ({ url: `file:${location}/` })],
  ])('restores from it, registered as %s under another name, in all modes', async (type, settings) => {
    const { prefix, byServer, take, restore } = await ownSnapshots();
    cleaned(prefix);
    const { name = '' } = byServer.snapshotRepository ?? {};
    const taken = await take(byServer);
    const target = { ...byServer, url: there };
    await expect(restore(taken, 'new', target)).rejects.toMatchObject({
      code: 'guard',
      message: expect.stringContaining(`no repository of ${there} has it`) as unknown,
      hint: `register the place where it lies on this server, read-only (type fs, location ${join(repo, name)}, readonly true)`,
    });
    expect(await indicesBelow(there, prefix)).toEqual([]);
    await register(`from-${name}`, { type, settings: settings(join(repo, name)) });
    await restore(taken, 'new', target);
    await bulk(there, `${prefix}a`, ['{"delete":{"_id":"1"}}', '{"index":{"_id":"3"}}\n{"n":3}']);
    await restore(taken, 'merge', target);
    expect(await askJson(there, 'GET', `${prefix}a/_count`)).toMatchObject({ count: 3 });
    await restore(taken, 'replace', target);
    expect(await askJson(there, 'GET', `${prefix}a/_count`)).toMatchObject({ count: 2 });
  });

  test('restores although another of its repositories cannot be read', async () => {
    const { prefix, byServer, take, restore } = await ownSnapshots();
    cleaned(prefix);
    const { name = '' } = byServer.snapshotRepository ?? {};
    const taken = await take(byServer);
    await askJson(there, 'PUT', `_snapshot/a-${name}?verify=false`, {
      type: 'url',
      settings: { url: `file:${repo}/nowhere/` },
    });
    onTestFinished(async () => void (await ask(there, 'DELETE', `_snapshot/a-${name}`)));
    const target = { ...byServer, url: there };
    await expect(restore(taken, 'new', target)).rejects.toMatchObject({
      message: expect.stringMatching(/^cannot restore snapshot/) as unknown,
    });
    await register(`b-${name}`, { type: 'fs', settings: { location: join(repo, name), readonly: true } });
    await restore(taken, 'new', target);
    expect(await askJson(there, 'GET', `${prefix}a/_count`)).toMatchObject({ count: 2 });
  });

  test('releases nothing there, though it could write and has the same names', async () => {
    const { byServer, context, left } = await ownSnapshots();
    const { name = '' } = byServer.snapshotRepository ?? {};
    const capture = await elasticsearch.capture(byServer, context, ORIGIN);
    await capture.close();
    const [reference] = capture.references ?? [];
    if (reference === undefined) throw new Error('no reference');
    await register(name, { type: 'fs', settings: { location: join(repo, name) } });
    const target = { ...byServer, url: there };
    const refused = { code: 'guard', message: expect.stringContaining('another cluster') as unknown };
    await expect(elasticsearch.references?.release(target, reference, context)).rejects.toMatchObject(refused);
    await expect(elasticsearch.references?.flawOf(target, reference, context)).rejects.toMatchObject(refused);
    expect((await elasticsearch.references?.list(target, context))?.found).toEqual([]);
    expect((await elasticsearch.references?.list(byServer, context))?.found).toMatchObject([{ name: reference.name }]);
    expect(await left()).toEqual([reference.name]);
  });

  test('a policy that moved there prunes what lies here no more than by hand', async () => {
    const shop = await openShop(SERVICE);
    await shop.bkp('apply --yes --init-repositories');
    await shop.bkp('backup shop');
    const [, older = ''] = await shop.ids();
    const before = await shop.onServer();
    await register(shop.prefix, { type: 'fs', settings: { location: join(repo, shop.prefix) } });
    await shop.policy({ server: there });
    const { stdout, stderr } = await shop.run(['destroy', `shop@${older}`, '--yes']);
    expect(stdout + stderr).toMatch(/stays on the server: .*another cluster/);
    // Nobody names it any more; only its own cluster may remove it.
    expect((await shop.run(['plan'])).stdout).not.toContain('no manifest names');
    await shop.run(['apply', '--yes']);
    expect(await shop.onServer()).toEqual(before);
    await shop.policy();
    expect((await shop.bkp('plan')).stdout).toContain('no manifest names what search left with its server');
  });
});

/** From one version to the next, where a copy of the folder was brought over. */
const UPGRADES = [startedServices('opensearch'), startedServices('elasticsearch')].flatMap((all) =>
  all.slice(1).map((to, position) => [all[position] ?? '', to] as const),
);

test.each(UPGRADES)('what %s took comes back in %s from a copy of the folder', async (from, to) => {
  const { prefix, byServer, take, restore } = await ownSnapshots(from);
  const { name = '' } = byServer.snapshotRepository ?? {};
  const taken = await take(byServer);
  const { url = '', repo: place = '' } = connectionOf(to);
  onTestFinished(() => deleteIndices(url, prefix));
  execFileSync('cp', ['-a', join(connectionOf(from)['repo'] ?? '', name), join(place, name)]);
  await askJson(url, 'PUT', `_snapshot/copy-${name}`, {
    type: 'fs',
    settings: { location: join(place, name), readonly: true },
  });
  onTestFinished(async () => void (await ask(url, 'DELETE', `_snapshot/copy-${name}`)));
  await restore(taken, 'new', { ...byServer, url });
  expect(await askJson(url, 'GET', `${prefix}a/_count`)).toMatchObject({ count: 2 });
  await restore(taken, 'replace', { ...byServer, url });
  await restore(taken, 'merge', { ...byServer, url });
  expect(await askJson(url, 'GET', `${prefix}a/_count`)).toMatchObject({ count: 2 });
});
