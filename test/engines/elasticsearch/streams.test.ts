import { describe, expect, test } from 'vitest';
import { elasticsearch } from '../../../src/engines/elasticsearch.ts';
import { searchServers } from '../elasticsearch-fixture.ts';
import { incoming, SNAPSHOT } from '../workbench.ts';
import { ask, askJson } from './ask.ts';
import { deletesStreams, METHODS, ownStream } from './own-streams.ts';

const DOCUMENTS = (from: string): readonly string[] => [
  `${from} 1 {"@timestamp":"2026-11-19T02:00:00Z","n":9007199254740993}`,
  `${from} 2 {"@timestamp":"2026-11-19T02:00:00Z","n":2}`,
];
const THREE = (at: string): string => `${at} 3 {"@timestamp":"2026-11-19T02:00:00Z","n":3}`;
const ALL = [...DOCUMENTS('01'), THREE('02')];

const withMethods = (services: readonly string[]): readonly (readonly [string, (typeof METHODS)[number]])[] =>
  services.flatMap((service) => METHODS.map((method) => [service, method] as const));

describe.each(withMethods(searchServers()))('%s by %s', (service, method) => {
  test('a data stream comes back under another name, with everything that it consists of', async () => {
    const { stream, other, only, context, parts, contents, take, restore } = await ownStream(service, method);
    const taken = await take(only);
    const { facts } = await elasticsearch.check(incoming(taken, context), context, only);
    expect(taken.facts).toEqual(facts);
    expect(taken.facts).toMatchObject({ documents: { [stream]: 3 }, dataStreams: { [stream]: 2 } });
    const outcome = await restore(taken, 'new', { ...only, rename: { from: stream, to: other } });
    expect(outcome).toMatchObject({ restored: { [`data stream ${other}`]: 3 }, warnings: [], facts: taken.facts });
    expect(await contents(other)).toEqual(ALL);
    const names = (await parts(stream)) ?? [];
    expect(await parts(other)).toEqual(names.map((name) => name.replace(stream, other)));
    await expect(restore(taken, 'new', { ...only, rename: { from: stream, to: other } })).rejects.toMatchObject({
      code: 'guard',
      message: `cannot restore: ${other} is there already`,
    });
  });

  test('documents that no index of the stream has come back into its last one, and others stay', async () => {
    const { url, stream, only, add, contents, take, restore, parts } = await ownStream(service, method);
    const taken = await take(only);
    const [first = ''] = (await parts(stream)) ?? [];
    await ask(url, 'DELETE', `${first}/_doc/1?refresh=true`);
    await askJson(url, 'POST', `${stream}/_rollover`);
    await add('4', '4');
    const { restored } = await restore(taken, 'merge', only);
    expect(restored).toEqual({ [`data stream ${stream}`]: 1 });
    const [one = '', two = ''] = DOCUMENTS('01');
    expect(await contents(stream)).toEqual([two, THREE('02'), one.replace('01', '03'), expect.stringMatching(/^03 4/)]);
  });
});

describe.each(withMethods(searchServers().filter(deletesStreams)))('%s by %s', (service, method) => {
  test('a stream is replaced where it stands, and what it held is kept beside', async () => {
    const { stream, only, context, add, contents, take, restore, parts } = await ownStream(service, method);
    const taken = await take(only);
    const before = await parts(stream);
    await add('4', '4');
    const { keptOld } = await restore(taken, 'replace', only);
    expect(await contents(stream)).toEqual(ALL);
    expect(await parts(stream)).toEqual(before);
    expect(keptOld.map(({ reference }) => reference)).toEqual(
      before?.map((name) => `bkp_old_${SNAPSHOT.toLowerCase()}_${name}`),
    );
    expect(await contents(keptOld[1]?.reference ?? '')).toEqual([THREE('02'), expect.stringMatching(/^02 4/)]);
    await add('5', '5');
    for (const old of keptOld) {
      await elasticsearch.removeSetAside({ ...old, destination: only }, context);
      expect(await elasticsearch.setAsideExists({ ...old, destination: only }, context)).toBe(false);
    }
  });

  test('a stream that is gone comes back with its template', async () => {
    const { url, stream, only, add, contents, take, restore } = await ownStream(service, method);
    const taken = await take(only);
    await ask(url, 'DELETE', `_data_stream/${stream}`);
    await ask(url, 'DELETE', `_index_template/${stream}`);
    await ask(url, 'DELETE', `_component_template/${stream}`);
    const { restored, warnings } = await restore(taken, 'new', only);
    expect(warnings).toEqual([]);
    expect(restored).toEqual({ [`data stream ${stream}`]: 3, 'templates, pipelines and scripts': 2 });
    await ask(url, 'POST', `${stream}/_rollover`);
    await add('4', '4');
    expect(await contents(stream)).toEqual([...ALL, expect.stringMatching(/^03 4/)]);
  });
});

test.each(searchServers().filter(deletesStreams))('%s takes an exported stream without bkp', async (service) => {
  const { url, stream, only, context, contents, take } = await ownStream(service, 'export');
  const { repository, artifacts } = await take(only);
  await ask(url, 'DELETE', `_data_stream/${stream}`);
  await ask(url, 'DELETE', `_index_template/${stream}`);
  for (const { key, name, format } of artifacts) {
    const file = repository.localPath(key) ?? '';
    const command = elasticsearch.nativeRestore(only, { name, format, decode: `zstd -dc '${file}'`, file });
    const byHand = { argv: ['sh', '-c', command], env: {}, cwd: context.workDir } as const;
    expect(await context.run(byHand)).toMatchObject({ exitCode: 0 });
  }
  // Without a rollover all of it is in one index.
  expect(await contents(stream)).toEqual([...DOCUMENTS('01'), THREE('01')]);
});

describe.each(searchServers().filter((service) => !deletesStreams(service)))('%s', (service) => {
  test('where nobody can delete a stream, none is replaced', async () => {
    const { stream, only, context, contents, add, take, restore } = await ownStream(service);
    const taken = await take(only);
    await add('4', '4');
    const message = `cannot replace data stream ${stream}: this server has no request that deletes one`;
    const coming = { mode: 'replace', artifacts: [], paths: [] } as const;
    expect((await elasticsearch.inspectDestination(only, context, coming)).problems).toMatchObject([{ message }]);
    await expect(restore(taken, 'replace', only)).rejects.toMatchObject({
      code: 'target',
      message,
      hint: expect.stringContaining('--mode merge') as unknown,
    });
    expect(await contents(stream)).toEqual([...ALL, expect.stringMatching(/^02 4/)]);
  });

  test('aliases of a stream come back, renamed or left out', async () => {
    const { url, stream, other, only, take, restore } = await ownStream(service);
    const add = (alias: string, more: object): unknown => ({ add: { index: stream, alias, ...more } });
    const actions = [add(`${stream}-low`, { filter: { term: { n: 2 } } }), add('everything', { is_write_index: true })];
    await askJson(url, 'POST', '_aliases', { actions });
    const taken = await take(only);
    const { warnings } = await restore(taken, 'new', { ...only, rename: { from: `${stream}*`, to: `${other}*` } });
    expect(warnings).toEqual([`data stream ${other}: aliases that mean ${stream} are left out: everything`]);
    expect(await askJson(url, 'GET', `${other}/_alias`)).toEqual({
      [other]: { aliases: { [`${other}-low`]: { filter: { term: { n: 2 } } } } },
    });
    expect(await askJson(url, 'GET', `${other}-low/_count`)).toMatchObject({ count: 1 });
  });
});
