import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { elasticsearch } from '../../../src/engines/elasticsearch.ts';
import { withTimeLimits } from '../../../src/streams/time-limits.ts';
import { connectionOf } from '../../services/connection.ts';
import { searchServers } from '../elasticsearch-fixture.ts';
import { ask, askJson, indicesBelow } from './ask.ts';
import { ORIGIN, ownSnapshots } from './own-snapshots.ts';
import { changed, isPoll, isStart, proxyTo } from './proxy.ts';

describe.each(searchServers())('%s', (service) => {
  test('a name that somebody else takes meanwhile is told, and his snapshot stays', async () => {
    const { url, byServer, context, left } = await ownSnapshots(service);
    let name = '';
    const proxy = await proxyTo(url, async ({ method, path }, send) => {
      if (isStart(method, path)) {
        name = path.replace(/\?.*/, '');
        await askJson(url, 'PUT', `${name.slice(1)}?wait_for_completion=true`, { indices: '-*' });
      }
      return send();
    });
    await expect(elasticsearch.capture({ ...byServer, url: proxy }, context, ORIGIN)).rejects.toMatchObject({
      code: 'target',
      message: expect.stringMatching(/^cannot take a snapshot .*: .*same name/) as unknown,
    });
    expect(await left()).toEqual([name.split('/').at(-1)]);
  });

  test('an order that something on the way sends twice is one snapshot', async () => {
    const { url, byServer, context, left } = await ownSnapshots(service);
    const statuses: number[] = [];
    const proxy = await proxyTo(url, async ({ method, path }, send) => {
      const answer = await send();
      if (!isStart(method, path)) return answer;
      const again = await send();
      statuses.push(answer.status, again.status);
      return again;
    });
    const capture = await elasticsearch.capture({ ...byServer, url: proxy }, context, ORIGIN);
    await capture.close();
    expect(statuses).toEqual([200, 400]);
    expect(await left()).toEqual([capture.references?.[0]?.name]);
  });

  test('a repository that goes away before the snapshot is told', async () => {
    const { url, byServer, context } = await ownSnapshots(service);
    const { name = '' } = byServer.snapshotRepository ?? {};
    const proxy = await proxyTo(url, async ({ method, path }, send) => {
      if (isStart(method, path)) await ask(url, 'DELETE', `_snapshot/${name}`);
      return send();
    });
    await expect(elasticsearch.capture({ ...byServer, url: proxy }, context, ORIGIN)).rejects.toMatchObject({
      code: 'target',
      message: `cannot take a snapshot into repository ${name} of the server: [${name}] missing`,
    });
  });

  test('a place that the configuration of the server does not allow is not left registered', async () => {
    const { url, prefix, byServer, context } = await ownSnapshots(service);
    const name = `${prefix}bad`;
    const target = {
      ...byServer,
      snapshotRepository: { name, type: 'fs', settings: { location: '/elsewhere' } },
    } as const;
    await expect(elasticsearch.capture(target, context, ORIGIN)).rejects.toMatchObject({
      message: expect.stringMatching(`cannot register snapshot repository ${name}: .*path.repo`) as unknown,
      hint: expect.stringContaining('on every node') as unknown,
    });
    await expect(askJson(url, 'GET', `_snapshot/${name}`)).rejects.toThrow('404');
  });

  test('a repository that the server cannot write to is told by a look, and by a capture', async () => {
    const { byServer, context, left } = await ownSnapshots(service);
    const { name = '' } = byServer.snapshotRepository ?? {};
    const folder = join(connectionOf(service)['repo'] ?? '', name);
    onTestFinished(() => chmod(folder, 0o700));
    await chmod(folder, 0o500);
    const verified = `cannot verify snapshot repository ${name}: `;
    expect((await elasticsearch.probe(byServer, context)).problems).toMatchObject([
      { message: expect.stringContaining(verified) as unknown, hint: expect.stringContaining('every node') as unknown },
    ]);
    await expect(elasticsearch.capture(byServer, context, ORIGIN)).rejects.toMatchObject({
      message: expect.stringContaining('cannot take a snapshot into repository') as unknown,
    });
    await chmod(folder, 0o700);
    expect(await left()).toEqual([]);
  });

  test.each([
    ['of the longest names', { snapshot: '20261119T020000Z-zzzzzzzz', target: 'z'.repeat(63) }],
    ['of names of digits and dashes', { snapshot: '20261119T020000Z-00000000', target: '0-9--' }],
  ])('the name of a snapshot %s is one that the server takes', async (_which, change) => {
    const { byServer, context, left } = await ownSnapshots(service);
    await (await elasticsearch.capture(byServer, context, { ...ORIGIN, ...change })).close();
    expect(await left()).toEqual([expect.stringContaining(change.target)]);
  });

  test('two indices of a snapshot that would get one name are refused, and nothing is made', async () => {
    const { url, prefix, byServer, take, restore } = await ownSnapshots(service);
    await askJson(url, 'PUT', `x${prefix}a`, {});
    onTestFinished(async () => void (await ask(url, 'DELETE', `x${prefix}a`)));
    const indices = [`${prefix}a`, `x${prefix}a`];
    const taken = await take({ ...byServer, indices });
    const rename = { from: 'x*', to: '*' };
    await expect(restore(taken, 'replace', { ...byServer, indices, rename })).rejects.toMatchObject({
      code: 'target',
      message: `cannot restore ${prefix}a and x${prefix}a: both would be called ${prefix}a`,
    });
    expect(await indicesBelow(url, `bkp_*${prefix}`)).toEqual([]);
  });

  test('an index that comes where one is restored goes once, and is told where it comes back', async () => {
    const { url, prefix, byServer, take, restore } = await ownSnapshots(service);
    const taken = await take(byServer);
    const rename = { from: `${prefix}*`, to: `new${prefix}*` };
    const beside = `bkp_new_new${prefix}a`;
    let comes = 1;
    const proxy = await proxyTo(url, async ({ method, path }, send) => {
      if (method === 'POST' && path.includes('/_restore') && comes > 0) {
        comes -= 1;
        await askJson(url, 'PUT', beside, {});
      }
      return send();
    });
    await restore(taken, 'new', { ...byServer, url: proxy, rename });
    expect(await askJson(url, 'GET', `new${prefix}a/_count`)).toMatchObject({ count: 2 });
    comes = 100;
    const failed = restore(taken, 'replace', { ...byServer, url: proxy, rename });
    await expect(failed).rejects.toMatchObject({
      code: 'target',
      message: expect.stringMatching(/^cannot restore index .*same name already exists/) as unknown,
    });
    expect(await indicesBelow(url, `new${prefix}`)).toEqual([`new${prefix}a`]);
    expect(await indicesBelow(url, beside)).toEqual([]);
  });

  test.each([
    ['timeout', { timeoutMs: 1500, idleTimeoutMs: null }, 'no end after 1.5s'],
    ['idleTimeout', { timeoutMs: null, idleTimeoutMs: 1500 }, 'no byte for 1.5s'],
  ])('a snapshot that comes to no end is ended by %s, and removed', async (_name, limits, reason) => {
    const { url, byServer, context, left } = await ownSnapshots(service);
    let isTaken = false;
    const proxy = await proxyTo(url, async ({ method, path }, send) => {
      const answer = await send();
      isTaken ||= isStart(method, path);
      return isTaken && isPoll(method, path) && answer.status === 200
        ? changed(answer, { state: 'IN_PROGRESS' })
        : answer;
    });
    const target = { ...byServer, url: proxy };
    const running = withTimeLimits('capture search', limits, context, (limited) =>
      elasticsearch.capture(target, limited, ORIGIN),
    );
    await expect(running).rejects.toMatchObject({ code: 'target', message: `cannot capture search: ${reason}` });
    expect(await left()).toEqual([]);
  });
});
