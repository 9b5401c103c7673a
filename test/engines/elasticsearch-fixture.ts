import { createHash } from 'node:crypto';
import { basename, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { elasticsearch } from '../../src/engines/elasticsearch.ts';
import type { TargetOf } from '../../src/engines/engine.ts';
import { type Connection, connectionOf, servicesToTry } from '../services/connection.ts';
import { ask, askJson, bulk, deleteIndices, indicesBelow } from './elasticsearch/ask.ts';
import type { EngineFixture } from './fixture.ts';

type Target = TargetOf<'elasticsearch'>;

/** What a folder's indices begin with: told apart, and with odd letters of its name. */
const prefixFor = (folder: string): string => {
  const unique = createHash('sha256').update(folder).digest('hex').slice(0, 12);
  const letters = Array.from(basename(folder).toLowerCase()).filter((letter) => !/[\s\\/*?"<>|,#:]/.test(letter));
  return `t${unique}-${letters.slice(0, 12).join('')}-`;
};

/** Where the indices of a target are now. */
const prefixOf = ({ indices, rename }: Target): string => (rename?.to ?? indices?.[0] ?? '').replace('*', '');
const originalOf = ({ indices }: Target): string => (indices?.[0] ?? '').replace('*', '');

const text = (n: number, bytes: number): string => {
  let all = '';
  for (let part = 0; all.length < bytes; part += 1) all += createHash('sha512').update(`${n} ${part}`).digest('base64');
  return all.slice(0, bytes);
};

/** Numbers that no parser of JavaScript gives back as they were. */
const documents = (size: number): readonly string[] =>
  Array.from({ length: 100 }, (_, n) => {
    const routing = n % 7 === 0 ? `,"routing":"r${n}"` : '';
    return `{"index":{"_id":"d ${n}/ü"${routing}}}\n{"n":${n}, "big":9007199254740993,"one":1.0,"exp":1e2,"text":"${text(n, size)}"}`;
  });

async function seed(url: string, prefix: string, bytes: number | null): Promise<void> {
  await askJson(url, 'PUT', `${encodeURIComponent(`${prefix}events`)}`, {
    settings: {
      number_of_shards: 2,
      number_of_replicas: 0,
      'analysis.analyzer.own': { type: 'custom', tokenizer: 'keyword' },
    },
    mappings: { properties: { n: { type: 'integer' }, text: { type: 'keyword', index: false, doc_values: false } } },
    aliases: { [`${prefix}all`]: {}, [`${prefix}low`]: { filter: { range: { n: { lt: 10 } } } } },
  });
  await askJson(url, 'PUT', encodeURIComponent(`${prefix}notes`), {
    settings: { number_of_shards: 1, number_of_replicas: 0 },
    aliases: { [`${prefix}all`]: {} },
  });
  if (bytes === null) return;
  await bulk(url, `${prefix}events`, documents(bytes));
  await bulk(url, `${prefix}notes`, [
    '{"index":{"_id":"first"}}\n{"title":"one"}',
    '{"index":{"_id":"second"}}\n{"title":"two"}',
  ]);
}

/** Elasticsearch or OpenSearch on one of the servers of the run. */
export const fixtureOn = (
  service: string,
  method: 'export' | 'snapshot' = 'export',
): EngineFixture<'elasticsearch'> => ({
  name: method === 'export' ? service : `${service} by snapshots`,
  engine: elasticsearch,
  isPersistent: true,
  storesLittle: method === 'snapshot',
  producer: null,
  consumer: null,
  query: null,

  async make(folder, content) {
    const { url = '', repo = '' }: Connection = connectionOf(service);
    const prefix = prefixFor(folder);
    onTestFinished(() => deleteIndices(url, prefix));
    await seed(url, prefix, { empty: null, small: 256, large: 60_000 }[content]);
    const target = { type: 'elasticsearch', url, indices: [`${prefix}*`], globals: false } as const;
    if (method === 'export') return target;
    const name = prefix.slice(0, 13);
    onTestFinished(async () => void (await ask(url, 'DELETE', `_snapshot/${name}`).catch(() => '')));
    const settings = { location: join(repo, name) };
    return { ...target, method, snapshotRepository: { name, type: 'fs', settings } };
  },

  elsewhere(target, folder) {
    const to = prefixFor(folder);
    const { url = '' } = target;
    onTestFinished(() => deleteIndices(url, to));
    return { ...target, rename: { from: target.indices?.[0] ?? '*', to: `${to}*` } };
  },

  async digest(target) {
    const { url = '' } = target;
    const [now, then] = [prefixOf(target), originalOf(target)];
    const names = await indicesBelow(url, now);
    if (names.length === 0) return 'absent';
    const hash = createHash('sha256');
    for (const name of names) hash.update((await contentsOf(url, name)).replaceAll(now, then));
    return hash.digest('hex');
  },

  async alter(target) {
    const { url = '' } = target;
    const prefix = prefixOf(target);
    await bulk(url, `${prefix}events`, ['{"delete":{"_id":"d 13/ü"}}', '{"index":{"_id":"added"}}\n{"n":1000}']);
    await bulk(url, `${prefix}notes`, ['{"delete":{"_id":"second"}}']);
  },

  async partsOf(target) {
    const { url = '' } = target;
    const all = await Promise.all(['events', 'notes'].map((name) => contentsOf(url, `${prefixOf(target)}${name}`)));
    const found = all.join('\n');
    const has = (id: string): boolean => found.includes(JSON.stringify(`"_id":"${id}"`).slice(1, -1));
    return { taken: has('d 13/ü') && has('second'), added: has('added') };
  },

  async destroy(target) {
    for (const name of await indicesBelow(target.url ?? '', prefixOf(target)))
      await ask(target.url ?? '', 'DELETE', encodeURIComponent(name));
  },

  // Without users on the server, a closed index is what nobody can read.
  async forbid(target) {
    await ask(target.url ?? '', 'POST', `${encodeURIComponent(`${prefixOf(target)}events`)}/_close`);
  },

  recordBoundary: (raw) => raw.lastIndexOf('\n', raw.length - 2) + 1,
});

/** Everything that must come back: documents as bytes, their routing, mappings, settings, aliases. */
async function contentsOf(url: string, name: string): Promise<string> {
  const path = encodeURIComponent(name);
  await ask(url, 'POST', `${path}/_refresh`);
  const found = await ask(url, 'GET', `${path}/_search?size=1000`);
  const hits = [
    ...found.matchAll(
      /\{"_index":"[^"]*",(?:"_type":"_doc",)?("_id":"[^"]*"),"_score":1.0,(.*?\})(?=,\{"_index"|\]\}\}$)/gs,
    ),
  ];
  const definition = JSON.parse(await ask(url, 'GET', `${path}?flat_settings=true`)) as Record<
    string,
    { readonly settings: Readonly<Record<string, string>>; readonly mappings: unknown; readonly aliases: unknown }
  >;
  const { settings = {}, mappings, aliases } = Object.values(definition)[0] ?? {};
  const own = Object.entries(settings).filter(([key]) => /number_of|analysis|refresh|blocks|hidden|pipeline/.test(key));
  const total = (JSON.parse(found) as { readonly hits: { readonly hits: readonly unknown[] } }).hits.hits.length;
  if (hits.length !== total) throw new Error(`${hits.length} of ${total} documents were read`);
  return JSON.stringify([
    hits.map(([, id, rest]) => `${id} ${rest}`).toSorted(),
    own.map((pair) => pair.join('=')).toSorted(),
    mappings,
    aliases,
  ]);
}

/** The oldest server of the run that everybody starts. */
export const elasticsearchFixture: EngineFixture<'elasticsearch'> = fixtureOn('opensearch-2.19.6');
export const searchServers = (): readonly string[] => [
  ...servicesToTry('opensearch'),
  ...servicesToTry('elasticsearch'),
];
