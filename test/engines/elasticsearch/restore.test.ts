import { describe, expect, test } from 'vitest';
import { elasticsearch } from '../../../src/engines/elasticsearch.ts';
import { searchServers } from '../elasticsearch-fixture.ts';
import { incoming, SNAPSHOT } from '../workbench.ts';
import { ask, askJson, bulk, indicesBelow } from './ask.ts';
import { ownIndices } from './own-indices.ts';
import { ownSnapshots } from './own-snapshots.ts';

const SERVICE = 'opensearch-2.19.6';
const doc = (id: string, source: string): string => `{"index":{"_id":"${id}"}}\n${source}`;

describe.each(searchServers())('%s', (service) => {
  test('chosen indices take the place of theirs; aliases stay where they are, and never double', async () => {
    const { url, prefix, target, context, take, documents } = await ownIndices(service);
    const names = ['k_a', 'k_b', 'other'].map((name) => `${prefix}${name}`);
    for (const name of names) {
      await askJson(url, 'PUT', name, { settings: { number_of_shards: 2 }, aliases: { [`${prefix}alias`]: {} } });
      await bulk(url, name, [doc('1', '{"a":1}')]);
    }
    const taken = await take();
    for (const name of names) await bulk(url, name, [doc('1', '{"a":2}')]);
    // Other numbers of shards are what closing first would fail with.
    await ask(url, 'DELETE', names[0] ?? '');
    await askJson(url, 'PUT', names[0] ?? '', { settings: { number_of_shards: 1 } });
    const outcome = await elasticsearch.restore(
      {
        destination: target,
        mode: 'replace',
        artifacts: incoming(taken, context),
        paths: [`${prefix}k_*`],
        skipConflicts: false,
        noOwner: false,
        expectedFacts: null,
        snapshot: SNAPSHOT,
      },
      context,
    );
    expect(outcome.keptOld.map(({ reference }) => reference)).toEqual(
      ['k_a', 'k_b'].map((name) => `bkp_old_${SNAPSHOT.toLowerCase()}_${prefix}${name}`),
    );
    for (const name of names.slice(0, 2)) expect((await documents(name)).join()).toContain('{"a":1}');
    expect((await documents(names[2] ?? '')).join()).toContain('{"a":2}');
    expect(Object.keys((await askJson(url, 'GET', `_alias/${prefix}alias`)) as object).toSorted()).toEqual(names);
    expect(await indicesBelow(url, 'bkp_new_' + prefix)).toEqual([]);
  });
});

test('under other names aliases are renamed alike or left out', async () => {
  const { url, prefix, take, restore } = await ownIndices(SERVICE);
  await askJson(url, 'PUT', `${prefix}a`, { aliases: { [`${prefix}alias`]: {}, [`x${prefix}`]: {} } });
  const taken = await take();
  const outcome = await restore(taken, 'new', { rename: { from: `${prefix}*`, to: `new${prefix}*` } });
  expect(outcome.warnings).toEqual([expect.stringContaining(`left out: x${prefix}`)]);
  expect(await askJson(url, 'GET', `_alias/*${prefix}*`)).toEqual({
    [`${prefix}a`]: { aliases: { [`${prefix}alias`]: {}, [`x${prefix}`]: {} } },
    [`new${prefix}a`]: { aliases: { [`new${prefix}alias`]: {} } },
  });
});

test('two indices that would get one name are refused', async () => {
  const { url, prefix, take, restore } = await ownIndices(SERVICE);
  await askJson(url, 'PUT', `${prefix}a`, {});
  await askJson(url, 'PUT', `${prefix}b`, {});
  const failed = restore(await take(), 'new', { rename: { from: `${prefix}*`, to: `new${prefix}one` } });
  await expect(failed).rejects.toMatchObject({ code: 'target', message: expect.stringContaining('both') as unknown });
  expect(await indicesBelow(url, `new${prefix}`)).toEqual([]);
});

test('a name that became an alias is refused', async () => {
  const { url, prefix, take, restore } = await ownIndices(SERVICE);
  await askJson(url, 'PUT', `${prefix}a`, {});
  const taken = await take();
  await ask(url, 'DELETE', `${prefix}a`);
  await askJson(url, 'PUT', `new${prefix}a`, { aliases: { [`${prefix}a`]: {} } });
  await expect(restore(taken, 'replace')).rejects.toMatchObject({
    message: expect.stringContaining('it is an alias of') as unknown,
  });
});

test('where one of several indices cannot take its place, all stand as they stood', async () => {
  const { url, prefix, take, restore, documents } = await ownIndices(SERVICE);
  const [first, second] = [`${prefix}a`, `${prefix}b`];
  const alias = `${prefix}write`;
  await askJson(url, 'PUT', first, { aliases: { [`${prefix}own`]: { filter: { term: { a: 1 } } } } });
  await askJson(url, 'PUT', second, { aliases: { [alias]: { is_write_index: true } } });
  for (const name of [first, second]) await bulk(url, name, [doc('1', '{"a":1}')]);
  const taken = await take();
  await bulk(url, first, [doc('2', '{"a":2}')]);
  // Two indices cannot both be what an alias writes to.
  await ask(url, 'DELETE', second);
  await askJson(url, 'PUT', `${prefix}c`, { aliases: { [alias]: { is_write_index: true } } });
  const before = [await documents(first), await askJson(url, 'GET', `_alias/${prefix}*`)];
  await expect(restore(taken, 'replace')).rejects.toMatchObject({ code: 'target' });
  expect([await documents(first), await askJson(url, 'GET', `_alias/${prefix}*`)]).toEqual(before);
  expect(await indicesBelow(url, `bkp_old_${SNAPSHOT.toLowerCase()}_${prefix}`)).toEqual([]);
  await bulk(url, first, [doc('3', '{"a":3}')]);
});

test('a merge that meets conflicts takes back what it added, or leaves them out', async () => {
  const { url, prefix, target, context, take, documents } = await ownIndices(SERVICE);
  const index = `${prefix}a`;
  await bulk(url, index, [doc('1', '{"n":1}'), doc('2', '{"n":2}'), doc('bad', '{"n":"secret text"}')].slice(0, 2));
  await ask(url, 'DELETE', index);
  await askJson(url, 'PUT', index, { mappings: { properties: { n: { type: 'keyword' } } } });
  await bulk(url, index, [doc('1', '{"n":1}'), doc('2', '{"n":2}'), doc('bad', '{"n":"secret text"}')]);
  const earlier = `${prefix}0`;
  await bulk(url, earlier, [doc('1', '{"n":1}'), doc('gone', '{"n":2}')]);
  const taken = await take();
  await bulk(url, earlier, ['{"delete":{"_id":"gone"}}']);
  await ask(url, 'DELETE', index);
  await askJson(url, 'PUT', index, { mappings: { properties: { n: { type: 'long' } } } });
  await bulk(url, index, [doc('1', '{"n":7}')]);
  const before = [...(await documents(index)), ...(await documents(earlier))];
  const merge = (skipConflicts: boolean): ReturnType<typeof elasticsearch.restore> =>
    elasticsearch.restore(
      {
        destination: target,
        mode: 'merge',
        artifacts: incoming(taken, context),
        paths: [],
        skipConflicts,
        noOwner: false,
        expectedFacts: null,
        snapshot: SNAPSHOT,
      },
      context,
    );
  const failed = await merge(false).catch((error: unknown) => error);
  expect(failed).toMatchObject({ code: 'target', message: expect.stringContaining('document "bad"') as unknown });
  expect(String(failed)).not.toContain('secret text');
  const after = [...(await documents(index)), ...(await documents(earlier))];
  expect(after.map(withoutVersion)).toEqual(before.map(withoutVersion));
  expect(await merge(true)).toMatchObject({
    restored: { [`index ${index}`]: 1, [`index ${earlier}`]: 1 },
    conflicts: [expect.stringContaining('"bad"')],
  });
  expect((await documents(index)).join()).toContain('{"n":7}');
});

const withoutVersion = (document: string): string => document.replace(/"_version":\d+,/, '');

test.each(['export', 'snapshot'])('globals that are missing come back from a %s, and others stay', async (method) => {
  const { url, prefix, byServer, target, take, restore } = await ownSnapshots(SERVICE);
  const captured = method === 'export' ? target : byServer;
  const put = (path: string, body: unknown): Promise<unknown> => askJson(url, 'PUT', `${path}/${prefix}x`, body);
  const kinds = ['_scripts', '_ingest/pipeline', '_component_template', '_index_template', '_template'];
  await put('_scripts', { script: { lang: 'painless', source: '1' } });
  await ask(
    url,
    'PUT',
    `_ingest/pipeline/${prefix}x`,
    '{"processors":[{"set":{"field":"a","value":9007199254740993}}]}',
  );
  await put('_component_template', { template: { settings: { number_of_shards: 1 } } });
  await put('_index_template', { index_patterns: [`${prefix}none`], composed_of: [`${prefix}x`] });
  await put('_template', { index_patterns: [`${prefix}none`], order: 3 });
  const read = (): Promise<readonly string[]> =>
    Promise.all(kinds.map((kind) => ask(url, 'GET', `${kind}/${prefix}x`)));
  const remove = async (): Promise<void> => {
    for (const kind of kinds.toReversed()) await ask(url, 'DELETE', `${kind}/${prefix}x`);
  };
  const before = await read();
  const taken = await take({ ...captured, globals: true });
  await remove();
  await put('_template', { index_patterns: [`${prefix}none`], order: 4 });
  await ask(url, 'DELETE', `${prefix}a`);
  const { warnings } = await restore(taken, 'new', captured);
  expect(warnings).toContain(`_template/${prefix}x is there and differs: it stays as it is`);
  expect((await read()).slice(0, -1)).toEqual(before.slice(0, -1));
  await remove();
});
