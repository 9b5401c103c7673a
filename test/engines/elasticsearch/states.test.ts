import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { elasticsearch } from '../../../src/engines/elasticsearch.ts';
import type { RestoreMode } from '../../../src/engines/engine.ts';
import { startAnother } from '../../services/another-server.ts';
import { testContext, testFolder } from '../../test-context.ts';
import { elasticsearchFixture, searchServers } from '../elasticsearch-fixture.ts';
import { newRepository, restore as restoreTaken, take as takeFrom } from '../workbench.ts';
import { askJson, bulk } from './ask.ts';
import type { Target } from './own-indices.ts';
import { ORIGIN, ownSnapshots } from './own-snapshots.ts';

test.each(searchServers())(
  'what %s has for the whole cluster comes back where it is asked for, and what came since goes',
  { timeout: 300_000 },
  async (service) => {
    // A cluster of its own: nobody else's templates go.
    const { connection, stop } = await startAnother(service, await openFolder());
    onTestFinished(stop);
    const { url = '', repo = '' } = connection;
    const { context, folder } = await testContext();
    const put = (path: string, body: unknown): Promise<unknown> => askJson(url, 'PUT', path, body);
    const setting = 'cluster.routing.allocation.node_concurrent_recoveries';
    await put('a', { settings: { number_of_replicas: 0 } });
    await bulk(url, 'a', ['{"index":{"_id":"1"}}\n{}']);
    await put('_cluster/settings', { persistent: { [setting]: 5 } });
    await put('_index_template/kept', { index_patterns: ['kept*'] });
    const target: Target = {
      type: 'elasticsearch',
      url,
      indices: ['a'],
      method: 'snapshot',
      snapshotRepository: { name: 'r', type: 'fs', settings: { location: join(repo, 'r') } },
      globals: false,
      globalState: true,
    };
    const taken = await takeFrom(elasticsearchFixture, target, await newRepository(folder, context), context);
    expect(taken.facts).toMatchObject({ globalState: true });
    await put('_cluster/settings', { persistent: { [setting]: 6, 'cluster.max_shards_per_node': 900 } });
    await put('_index_template/since', { index_patterns: ['since*'] });
    const settings = async (): Promise<unknown> =>
      ((await askJson(url, 'GET', '_cluster/settings?flat_settings=true')) as { readonly persistent: unknown })
        .persistent;
    const restore = (mode: RestoreMode, change: Partial<Target>): ReturnType<typeof restoreTaken> =>
      restoreTaken(elasticsearchFixture, taken, { ...target, ...change }, mode, context);

    const { warnings: silent } = await restore('replace', {});
    expect(silent).toEqual([]);
    expect(await settings()).toEqual({ [setting]: '6', 'cluster.max_shards_per_node': '900' });

    const wish = { ...target, restoreGlobalState: true };
    const coming = { artifacts: [], paths: [] };
    expect(
      (await elasticsearch.inspectDestination(wish, context, { ...coming, mode: 'merge' })).problems,
    ).toMatchObject([{ hint: 'ask for --mode replace' }]);
    await expect(restore('merge', { restoreGlobalState: true })).rejects.toMatchObject({ code: 'guard' });
    const state = await elasticsearch.inspectDestination(wish, context, { ...coming, mode: 'replace' });
    expect(state).toMatchObject({ state: 'occupied', replacedInPlace: true, problems: [] });
    expect(state.description).toMatch(/^1 index with 1 documents; replaced for the whole cluster: the global state \(/);
    for (const name of [`setting ${setting}`, '_index_template/kept', '_index_template/since'])
      expect(state.description).toContain(name);

    const { warnings } = await restore('replace', { restoreGlobalState: true });
    expect(warnings).toEqual([
      'the global state of the cluster is as the snapshot has it',
      'setting cluster.max_shards_per_node is gone',
      '_index_template/since is gone',
      `setting ${setting} is another now`,
    ]);
    expect(await settings()).toEqual({ [setting]: '5' });
    expect(await askJson(url, 'GET', 'a/_count')).toMatchObject({ count: 1 });
  },
);

/** Servers run as a user of their own, who must get there. */
async function openFolder(): Promise<string> {
  const folder = await testFolder();
  await chmod(folder, 0o755);
  return folder;
}

describe.each(searchServers().filter((service) => service.startsWith('opensearch')))('%s', (service) => {
  test('has no features: they are refused by its name', async () => {
    const { byServer, context, left } = await ownSnapshots(service);
    const target: Target = { ...byServer, featureStates: ['tasks'] };
    const message = expect.stringMatching(/OpenSearch \S+ has no feature states$/) as unknown;
    expect((await elasticsearch.probe(target, context)).problems).toMatchObject([{ message }]);
    await expect(elasticsearch.capture(target, context, ORIGIN)).rejects.toMatchObject({ message });
    expect(await left()).toEqual([]);
  });
});

describe.each(searchServers().filter((service) => service.startsWith('elasticsearch')))('%s', (service) => {
  test('what a feature keeps comes back where it is asked for', async () => {
    const { url, prefix, byServer, take, restore } = await ownSnapshots(service);
    // The result of a task that nobody waits for is kept by the feature `tasks`.
    const task = async (): Promise<string> => {
      const body = { source: { index: `${prefix}a` }, dest: { index: `${prefix}b` } };
      const answer = await askJson(url, 'POST', '_reindex?wait_for_completion=false', body);
      const { task: id } = answer as { readonly task: string };
      await askJson(url, 'GET', `_tasks/${id}?wait_for_completion=true`);
      await askJson(url, 'POST', '.tasks/_refresh');
      return id;
    };
    const isKept = async (id: string): Promise<boolean> =>
      JSON.stringify(await askJson(url, 'GET', '.tasks/_search?size=1000')).includes(id);
    const first = await task();
    const target: Target = { ...byServer, indices: [`${prefix}a`], featureStates: ['tasks'] };
    const taken = await take(target);
    expect(taken.facts).toMatchObject({ featureStates: { tasks: 1 } });
    const second = await task();
    await restore(taken, 'replace', target);
    expect([await isKept(first), await isKept(second)]).toEqual([true, true]);
    const { warnings } = await restore(taken, 'replace', { ...target, restoreFeatureStates: ['tasks'] });
    expect(warnings).toEqual(['feature tasks is as the snapshot has it']);
    expect([await isKept(first), await isKept(second)]).toEqual([true, false]);
    await expect(restore(taken, 'replace', { ...target, restoreFeatureStates: ['security'] })).rejects.toMatchObject({
      code: 'not-found',
      message: 'cannot restore the feature state security: the snapshot has none',
      hint: 'it has tasks',
    });
  });

  test('a feature that nobody knows is refused, and one that keeps nothing is told', async () => {
    const { byServer, context } = await ownSnapshots(service);
    const { problems } = await elasticsearch.probe({ ...byServer, featureStates: ['taks'] }, context);
    expect(problems).toMatchObject([
      { message: 'the server has no feature taks', hint: expect.stringContaining('tasks') as unknown },
    ]);
    const capture = await elasticsearch.capture({ ...byServer, featureStates: ['synonyms'] }, context, ORIGIN);
    await capture.close();
    expect(capture.warnings).toEqual([
      'feature synonyms keeps nothing on the server: there is no state of it in the snapshot',
    ]);
  });
});
