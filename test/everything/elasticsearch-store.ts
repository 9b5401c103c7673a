import { ask, askJson, bulk, deleteIndices } from '../engines/elasticsearch/ask.ts';
import { connectionOf } from '../services/connection.ts';
import { type Store, textOf } from './store.ts';

const SERVICE = 'opensearch-2.19.6';
const PREFIX = 'everything-';
const WRITES = `${PREFIX}writes`;
const KINDS = `${PREFIX}kinds`;

export function elasticsearchStore(): Store {
  const url = (): string => connectionOf(SERVICE)['url'] ?? '';
  /** Every document of an index, by its id, with its source as it was sent. */
  const documentsOf = async (index: string): Promise<ReadonlyMap<string, string>> => {
    await ask(url(), 'POST', `${index}/_refresh`);
    const found = await ask(url(), 'GET', `${index}/_search?size=1000000`);
    return new Map(
      [...found.matchAll(/"_id":"([^"]*)","_score":1\.0,"_source":(\{[^}]*\})/g)].map(([, id = '', source = '']) => [
        id,
        source,
      ]),
    );
  };
  return {
    name: 'elasticsearch',
    target: { type: 'elasticsearch', url: '${env:EVERYTHING_ES}', indices: [`${PREFIX}*`], globals: false },
    env: { EVERYTHING_ES: url() },
    // Shards are held one after the other.
    isOneMoment: false,

    async seed() {
      for (const index of [WRITES, KINDS])
        await askJson(url(), 'PUT', index, {
          settings: { number_of_shards: 2, number_of_replicas: 0, max_result_window: 1_000_000 },
        });
      await bulk(url(), KINDS, ['{"index":{"_id":"1"}}\n{"big":9007199254740993,"one":1.0,"text":"ünï¢öde"}']);
    },
    async write(n) {
      await ask(url(), 'PUT', `${WRITES}/_doc/${n}`, JSON.stringify({ text: textOf(n) }));
    },
    async read() {
      const written = await documentsOf(WRITES);
      return {
        seeded: [...(await documentsOf(KINDS))].map((pair) => pair.join(' ')),
        written: new Map(
          [...written].map(([n, source]) => [Number(n), (JSON.parse(source) as { readonly text: string }).text]),
        ),
      };
    },
    lose: () => deleteIndices(url(), PREFIX),
    close: () => deleteIndices(url(), PREFIX),
  };
}
