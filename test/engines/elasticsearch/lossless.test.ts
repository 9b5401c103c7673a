import { describe, expect, test } from 'vitest';
import { searchServers } from '../elasticsearch-fixture.ts';
import { ask, askJson, bulk } from './ask.ts';
import { ownIndices } from './own-indices.ts';

/** What parsers change: large and odd numbers, the order and repetition of keys, spaces, escapes, nothing at all. */
const SOURCES = [
  '{"n":9223372036854775807}',
  '{"n":-0,"f":1.0,"g":1e2,"h":0.10000000000000000000001}',
  '{ "b" : 1, "a":2 }',
  '{"t":"\\u00fc ü \\ud83d\\ude00 \\"}{][, \\\\"}',
  '{}',
  '{"deep":{"list":[[1,[2.50]],{"x":null}]}}',
];

describe.each(searchServers())('%s', (service) => {
  test('documents come back as the bytes they were, with routing, and versions where asked', async () => {
    const { url, prefix, take, restore, documents } = await ownIndices(service);
    const index = `${prefix}all`;
    await askJson(url, 'PUT', index, {
      settings: { number_of_shards: 3, number_of_replicas: 0 },
      mappings: { enabled: false },
    });
    await bulk(
      url,
      index,
      SOURCES.map((source, n) => `{"index":{"_id":"${n}"}}\n${source}`),
    );
    // One id lives twice where it is routed to two shards.
    for (const routing of ['a', 'd'])
      await ask(url, 'PUT', `${index}/_doc/twice?routing=${routing}`, `{"at":"${routing}"}`);
    for (const n of [1, 2, 3]) await ask(url, 'PUT', `${index}/_doc/changed`, `{"n":${n}}`);
    await ask(url, 'PUT', `${index}/_doc/${encodeURIComponent('ünï/ %"\\ 日本')}`, '{"odd":1}');
    const before = await documents(index);
    expect(before.join('\n')).toContain('"_version":3');
    const taken = await take({ versions: true });
    await ask(url, 'DELETE', index);
    await restore(taken, 'new', { versions: true });
    expect(await documents(index)).toEqual(before);
    for (const source of SOURCES) expect(before.some((document) => document.includes(source))).toBe(true);
  });

  test('a source of several lines becomes one, and means the same', async () => {
    const { url, prefix, take, restore, documents } = await ownIndices(service);
    const index = `${prefix}lines`;
    await ask(url, 'PUT', `${index}/_doc/1`, '{\n  "a": 1.0,\r\n  "b": "x\\ny"\n}\n');
    const taken = await take();
    await ask(url, 'DELETE', index);
    await restore(taken, 'new');
    expect((await documents(index)).join('')).toMatch(/\{\s+"a": 1\.0,\s+"b": "x\\ny"\s\}/);
  });

  test('what makes an index comes back: analysis, sorting, blocks, pipelines, aliases', async () => {
    const { url, prefix, take, restore } = await ownIndices(service);
    const index = `${prefix}made`;
    await ask(url, 'PUT', `_ingest/pipeline/${prefix}stamp`, '{"processors":[]}');
    await askJson(url, 'PUT', index, {
      settings: {
        number_of_shards: 2,
        number_of_replicas: 0,
        refresh_interval: '7s',
        'index.sort.field': 'n',
        'index.final_pipeline': `${prefix}stamp`,
        analysis: { analyzer: { own: { type: 'custom', tokenizer: 'keyword', filter: ['lowercase'] } } },
      },
      mappings: {
        dynamic: 'strict',
        _meta: { owner: 'a' },
        properties: { n: { type: 'long' }, t: { type: 'text', analyzer: 'own' } },
      },
      aliases: {
        [`${prefix}write`]: { is_write_index: true },
        [`${prefix}few`]: { filter: { term: { n: 1 } }, routing: 'r' },
      },
    });
    await bulk(url, index, ['{"index":{"_id":"1"}}\n{"n":1,"t":"A B"}']);
    await ask(url, 'PUT', `${index}/_settings`, '{"index.blocks.write":true}');
    const definition = async (): Promise<unknown> => {
      const all = (await askJson(url, 'GET', `${index}?flat_settings=true`)) as Record<string, Record<string, object>>;
      const { settings = {}, ...rest } = all[index] ?? {};
      const own = Object.entries(settings).filter(([key]) =>
        /sort|refresh|analysis|blocks|pipeline|number_of/.test(key),
      );
      return { ...rest, settings: Object.fromEntries(own) };
    };
    const before = await definition();
    const taken = await take();
    await ask(url, 'DELETE', index);
    await restore(taken, 'new');
    expect(await definition()).toEqual(before);
    await ask(url, 'DELETE', index);
    await ask(url, 'DELETE', `_ingest/pipeline/${prefix}stamp`);
  });

  test('what nobody has refreshed yet is in the capture', async () => {
    const { url, prefix, take } = await ownIndices(service);
    const index = `${prefix}stale`;
    await askJson(url, 'PUT', index, { settings: { refresh_interval: '-1', number_of_replicas: 0 } });
    await ask(url, 'PUT', `${index}/_doc/1`, '{}');
    expect((await take()).facts).toMatchObject({ documents: { [index]: 1 } });
  });
});

describe.each(searchServers().filter((service) => service.startsWith('elasticsearch')))('%s', (service) => {
  // Newer servers leave them out of what they answer, unless they are asked for them.
  test('vectors come back', async () => {
    const { url, prefix, take, restore } = await ownIndices(service);
    const index = `${prefix}vectors`;
    await askJson(url, 'PUT', index, { mappings: { properties: { v: { type: 'dense_vector', dims: 3 } } } });
    await bulk(url, index, ['{"index":{"_id":"1"}}\n{"v":[0.25,-1.5,3.0],"t":"x"}']);
    const near = { knn: { field: 'v', query_vector: [0.25, -1.5, 3], k: 1, num_candidates: 1 } };
    const found = async (): Promise<number> => {
      await ask(url, 'POST', `${index}/_refresh`);
      const answer = (await askJson(url, 'POST', `${index}/_search`, near)) as { hits: { hits: readonly unknown[] } };
      return answer.hits.hits.length;
    };
    expect(await found()).toBe(1);
    const taken = await take();
    await ask(url, 'DELETE', index);
    await restore(taken, 'new');
    expect(await found()).toBe(1);
  });
});
