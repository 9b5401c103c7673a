import { describe, expect, test } from 'vitest';
import { elasticsearch } from '../../../src/engines/elasticsearch.ts';
import { searchServers } from '../elasticsearch-fixture.ts';
import { ask, askJson, bulk } from './ask.ts';
import { ORIGIN, ownSnapshots } from './own-snapshots.ts';

describe.each(searchServers())('%s', (service) => {
  test('what makes an index comes back with its documents, also what is not in their sources', async () => {
    const { url, prefix, byServer, take, restore } = await ownSnapshots(service);
    const name = `${prefix}odd`;
    await askJson(url, 'PUT', name, {
      settings: { number_of_shards: 2, 'index.hidden': true, 'index.max_result_window': 123 },
      mappings: { _source: { enabled: false }, properties: { n: { type: 'long', store: true } } },
      aliases: { [`${prefix}alias`]: { filter: { term: { n: 1 } }, is_write_index: true } },
    });
    await bulk(url, name, ['{"index":{"_id":"1","routing":"x"}}\n{"n":9007199254740993}']);
    await askJson(url, 'PUT', `${name}/_block/write`, undefined);
    const definition = async (): Promise<unknown> => {
      const all = (await askJson(url, 'GET', `${name}?flat_settings=true`)) as Readonly<
        Record<string, { readonly settings: Readonly<Record<string, string>>; readonly aliases: unknown }>
      >;
      const { settings = {}, aliases } = all[name] ?? {};
      return [aliases, settings['index.hidden'], settings['index.max_result_window'], settings['index.blocks.write']];
    };
    const before = await definition();
    const taken = await take({ ...byServer, hidden: true });
    await askJson(url, 'DELETE', name);
    await restore(taken, 'replace', { ...byServer, hidden: true });
    expect(await definition()).toEqual(before);
    const found = await ask(url, 'GET', `${name}/_search?stored_fields=n`);
    expect(found).toMatch(/"_id":"1".*"_routing":"x".*"n":\[9007199254740993\]/);
    expect(await askJson(url, 'GET', `_alias/${prefix}alias`)).toHaveProperty([name]);
  });
});

describe.each(searchServers().filter((service) => service.startsWith('elasticsearch')))('%s', (service) => {
  test('a closed index stays closed, here and where it is restored', async () => {
    const { url, prefix, byServer, context, take, restore } = await ownSnapshots(service);
    await askJson(url, 'POST', `${prefix}a/_close`);
    const capture = await elasticsearch.capture(byServer, context, ORIGIN);
    await capture.close();
    expect(capture.warnings).toEqual([`index ${prefix}a is closed: its documents cannot be counted`]);
    const taken = await take(byServer);
    await restore(taken, 'new', { ...byServer, rename: { from: `${prefix}*`, to: `new${prefix}*` } });
    expect(await askJson(url, 'GET', `_cat/indices/new${prefix}a?format=json&h=status`)).toEqual([{ status: 'close' }]);
    await askJson(url, 'POST', `new${prefix}a/_open?wait_for_active_shards=1`);
    expect(await askJson(url, 'GET', `new${prefix}a/_count`)).toMatchObject({ count: 2 });
  });
});
