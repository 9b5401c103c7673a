import { expect, test } from 'vitest';
import { elasticsearch } from '../../../src/engines/elasticsearch.ts';
import { testContext } from '../../test-context.ts';
import { askJson, bulk } from './ask.ts';
import { ORIGIN, ownSnapshots } from './own-snapshots.ts';
import { changed, isPoll, isStart, proxyTo } from './proxy.ts';

test.each([
  ['PARTIAL', { state: 'PARTIAL', shards: { total: 1, failed: 1, successful: 0 } }, 'its state is PARTIAL, 1 of 1'],
  ['FAILED', { state: 'FAILED' }, 'its state is FAILED'],
  ['INCOMPATIBLE', { state: 'INCOMPATIBLE' }, 'its state is INCOMPATIBLE'],
  ['SUCCESS with a failed shard', { shards: { total: 2, failed: 1, successful: 1 } }, '1 of 2 shards failed'],
  ['SUCCESS without an index', { indices: [] }, 'it lacks'],
])('a snapshot that ends as %s fails the capture and is removed', async (_state, change, message) => {
  const { url, byServer, context, left } = await ownSnapshots();
  let isTaken = false;
  const proxy = await proxyTo(url, async ({ method, path }, send) => {
    const answer = await send();
    isTaken ||= isStart(method, path);
    return isTaken && isPoll(method, path) && answer.status === 200 ? changed(answer, change) : answer;
  });
  const failed = elasticsearch.capture({ ...byServer, url: proxy }, context, ORIGIN);
  await expect(failed).rejects.toMatchObject({
    code: 'integrity',
    message: expect.stringContaining(message) as unknown,
  });
  expect(await left()).toEqual([]);
});

test('a snapshot that somebody deletes while it is taken fails the capture', async () => {
  const { url, byServer, context, left } = await ownSnapshots();
  const proxy = await proxyTo(url, async ({ method, path }, send) => {
    const answer = await send();
    if (isStart(method, path)) await askJson(url, 'DELETE', path.slice(1).replace(/\?.*/, ''));
    return answer;
  });
  await expect(elasticsearch.capture({ ...byServer, url: proxy }, context, ORIGIN)).rejects.toMatchObject({
    code: 'target',
    message: expect.stringContaining('it vanished') as unknown,
  });
  expect(await left()).toEqual([]);
});

test.each([503, 400, 429])('a server that is busy with another one (%i) is asked again', async (status) => {
  const { url, byServer, context, left } = await ownSnapshots();
  let refused = 0;
  const proxy = await proxyTo(url, async ({ method, path }, send) => {
    if (!isStart(method, path) || refused === 2) return send();
    refused += 1;
    const reason = 'a snapshot is already running';
    const error = { type: 'concurrent_snapshot_execution_exception', reason, root_cause: [] };
    return { status, body: JSON.stringify({ error, status }) };
  });
  const capture = await elasticsearch.capture({ ...byServer, url: proxy }, context, ORIGIN);
  await capture.close();
  expect(refused).toBe(2);
  expect(await left()).toEqual([capture.references?.[0]?.name]);
});

test('an abort ends and removes what the server is taking', async () => {
  const controller = new AbortController();
  const { url, prefix, byServer, left } = await ownSnapshots(undefined, { max_snapshot_bytes_per_sec: '40kb' });
  const { context } = await testContext({ signal: controller.signal });
  const text = Array.from({ length: 4_000 }, (_, n) => `${n * 7919}`).join(' ');
  await bulk(
    url,
    `${prefix}a`,
    Array.from({ length: 20 }, (_, n) => `{"index":{}}\n{"n":${n},"text":"${text}"}`),
  );
  let polls = 0;
  const proxy = await proxyTo(url, async ({ method, path }, send) => {
    if (isPoll(method, path) && (polls += 1) === 3) controller.abort();
    return send();
  });
  const running = elasticsearch.capture({ ...byServer, url: proxy }, context, ORIGIN);
  await expect(running).rejects.toMatchObject({ code: 'interrupted' });
  expect(await left()).toEqual([]);
});

test('what is written meanwhile makes a count of before, which is told and not held against a restore', async () => {
  const { url, prefix, byServer, context, take, restore } = await ownSnapshots();
  const proxy = await proxyTo(url, async ({ method, path }, send) => {
    const answer = await send();
    if (isStart(method, path)) await bulk(url, `${prefix}a`, ['{"index":{"_id":"3"}}\n{"n":3}']);
    return answer;
  });
  const capture = await elasticsearch.capture({ ...byServer, url: proxy }, context, ORIGIN);
  await capture.close();
  expect(capture.warnings).toEqual([expect.stringContaining('was written to while')]);
  const taken = await take({ ...byServer, url: proxy });
  const rename = { from: `${prefix}*`, to: `new${prefix}*` };
  await restore(taken, 'new', { ...byServer, rename });
  expect((await askJson(url, 'GET', `new${prefix}a/_count`)) as object).toMatchObject({ count: 3 });
});

test('two captures at once both come to their end', async () => {
  const { byServer, context, left } = await ownSnapshots();
  const captures = await Promise.all([1, 2].map(() => elasticsearch.capture(byServer, context, ORIGIN)));
  for (const capture of captures) await capture.close();
  const names = captures.flatMap(({ references = [] }) => references.map(({ name }) => name));
  expect(new Set(names).size).toBe(2);
  expect((await left()).toSorted()).toEqual(names.toSorted());
});
