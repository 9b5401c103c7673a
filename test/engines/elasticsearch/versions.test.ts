import { expect, onTestFinished, test } from 'vitest';
import { connectionOf } from '../../services/connection.ts';
import { startedServices } from '../../services/connection.ts';
import { ask, askJson, bulk } from './ask.ts';
import { ownIndices } from './own-indices.ts';
import { deletesStreams, ownStream } from './own-streams.ts';

const SERVERS = [...startedServices('opensearch'), ...startedServices('elasticsearch')];
const PAIRS = SERVERS.flatMap((from) => SERVERS.map((to) => [from, to] as const));

test.each(PAIRS)('what %s held comes back in %s', async (from, to) => {
  const { url, prefix, take, documents } = await ownIndices(from);
  const index = `${prefix}a`;
  await askJson(url, 'PUT', index, {
    settings: {
      number_of_shards: 2,
      number_of_replicas: 0,
      analysis: { normalizer: { low: { type: 'custom', filter: ['lowercase'] } } },
    },
    mappings: {
      properties: {
        k: { type: 'keyword', normalizer: 'low' },
        at: { type: 'date_nanos' },
        where: { type: 'geo_point' },
      },
    },
    aliases: { [`${prefix}alias`]: { filter: { term: { k: 'a' } } } },
  });
  await bulk(url, index, [
    '{"index":{"_id":"1","routing":"r"}}\n{"k":"A","at":"2026-11-21T00:00:00.123456789Z","where":[1.50,2.0],"big":9007199254740993}',
    '{"index":{"_id":"2"}}\n{"k":["B","c"],"one":1.0}',
  ]);
  const before = await documents(index);
  const taken = await take();
  const other = await ownIndices(to);
  const destination = { url: connectionOf(to)['url'] ?? '', indices: [`${prefix}*`] };
  const rename = { from: `${prefix}*`, to: `${other.prefix}*` };
  const { warnings } = await other.restore(taken, 'new', { ...destination, rename });
  // Whatever a server does not take is a setting, and is named.
  for (const warning of warnings)
    expect(warning).toMatch(/^index .* (?:setting index\.|this server writes its mappings)/);
  expect(await other.documents(`${other.prefix}a`)).toEqual(before);
  expect(await askJson(other.url, 'GET', `${other.prefix}a/_alias`)).toEqual({
    [`${other.prefix}a`]: { aliases: { [`${other.prefix}alias`]: { filter: { term: { k: 'a' } } } } },
  });
});

const productOf = (service: string): string => service.split('-')[0] ?? '';
const OTHERS = [...new Map(PAIRS.map((pair) => [pair.map(productOf).join(), pair])).values()].filter(
  ([from, to]) => productOf(from) !== productOf(to),
);

test.each(OTHERS)('an exported data stream of %s comes back in %s, with its template', async (from, to) => {
  const { stream, only, take } = await ownStream(from, 'export');
  const taken = await take(only);
  const other = await ownIndices(to);
  const url = connectionOf(to)['url'] ?? '';
  onTestFinished(async () => {
    if (!deletesStreams(to)) return;
    for (const kind of ['_data_stream', '_index_template', '_component_template'])
      await ask(url, 'DELETE', `${kind}/${stream}`).catch(() => '');
  });
  const { restored } = await other.restore(taken, 'new', { url, indices: [stream] });
  expect(restored).toEqual({ [`data stream ${stream}`]: 3, 'templates, pipelines and scripts': 2 });
  const there = await askJson(url, 'GET', `${stream}/_search?_source=false&sort=n`);
  expect(there).toMatchObject({ hits: { hits: [{ _id: '2' }, { _id: '3' }, { _id: '1' }] } });
});
