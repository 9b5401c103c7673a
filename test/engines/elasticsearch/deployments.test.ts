import { expect, test } from 'vitest';
import { askJson, bulk } from './ask.ts';
import { ownSnapshots } from './own-snapshots.ts';
import { proxyTo } from './proxy.ts';

/** What a request lets the server take, in seconds. */
const patienceOf = (path: string): number => Number(/[?&]timeout=(\d+)s/.exec(path)?.[1] ?? 0);

test('a server below a path, behind a proxy that ends what takes a minute', async () => {
  const { url, prefix, target: direct, take, restore } = await ownSnapshots();
  const paths: string[] = [];
  const proxy = await proxyTo(
    url,
    async ({ path }, send) => {
      paths.push(path);
      return patienceOf(path) > 55 ? { status: 504, body: 'gateway time-out' } : send();
    },
    '/internal/search',
  );
  const target = { ...direct, url: `${proxy}/` };
  const taken = await take(target);
  await bulk(url, `${prefix}a`, ['{"delete":{"_id":"1"}}']);
  await restore(taken, 'merge', target);
  await restore(taken, 'replace', target);
  expect(await askJson(url, 'GET', `${prefix}a/_count`)).toMatchObject({ count: 2 });
  expect(paths.some((path) => path.includes('/_clone/'))).toBe(true);
});

const OUTAGES = [
  'master_not_discovered_exception',
  'cluster_manager_not_discovered_exception',
  'cluster_block_exception',
];

test.each(['export', 'snapshot'] as const)(
  'while a master is elected everything is asked again (%s)',
  async (method) => {
    const { url, prefix, byServer, take, restore, left } = await ownSnapshots();
    const refused = new Set<string>();
    const proxy = await proxyTo(url, async ({ method: verb, path }, send) => {
      const kind = `${verb} ${/\/_[a-z]+/.exec(path)?.[0] ?? 'index'}`;
      if (refused.has(kind)) return send();
      refused.add(kind);
      const error = { type: OUTAGES[refused.size % OUTAGES.length], reason: 'no master', root_cause: [] };
      return { status: 503, body: JSON.stringify({ error, status: 503 }) };
    });
    const target = { ...byServer, method, url: proxy };
    const taken = await take(target);
    await bulk(url, `${prefix}a`, ['{"delete":{"_id":"1"}}']);
    await restore(taken, 'replace', target);
    expect(await askJson(url, 'GET', `${prefix}a/_count`)).toMatchObject({ count: 2 });
    expect([...refused]).toEqual(expect.arrayContaining(['PUT /_clone', 'POST /_aliases', 'DELETE index']));
    expect(await left()).toHaveLength(method === 'snapshot' ? 1 : 0);
  },
);
