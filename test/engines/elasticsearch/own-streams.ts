import { onTestFinished } from 'vitest';
import { ask, askJson, bulk } from './ask.ts';
import { type OwnSnapshots, ownSnapshots, SERVICE } from './own-snapshots.ts';
import type { Target } from './own-indices.ts';

/** A data stream of one test, with a template of its own and two indices: documents 1 and 2, then 3. */
export interface OwnStream extends OwnSnapshots {
  readonly stream: string;
  /** The target that means the stream and nothing else. */
  readonly only: Target;
  /** A name that the template means, too. */
  readonly other: string;
  /** What a stream consists of, the oldest first; null where there is none. */
  readonly parts: (name: string) => Promise<readonly string[] | null>;
  /** Ids and sources of everything in a stream or an index, with the number of the index that each is in. */
  readonly contents: (name: string) => Promise<readonly string[]>;
  readonly add: (id: string, n: string) => Promise<void>;
}

/** Builds without the requests of data streams make them from templates all the same; nobody can delete them there. */
export const deletesStreams = (service: string): boolean => service.startsWith('opensearch');

export const METHODS = ['snapshot', 'export'] as const;

export async function ownStream(
  service: string = SERVICE,
  method: (typeof METHODS)[number] = 'snapshot',
): Promise<OwnStream> {
  const own = await ownSnapshots(service);
  const { url, prefix, target, byServer } = own;
  // Whoever deletes the indices of a test by their names would meet those of the stream.
  const stream = `s${prefix}logs`;
  const other = `s${prefix}others`;
  onTestFinished(async () => {
    if (!deletesStreams(service)) return;
    for (const name of [stream, other]) await ask(url, 'DELETE', `_data_stream/${name}`).catch(() => '');
    await ask(url, 'DELETE', `_index_template/${stream}`).catch(() => '');
    await ask(url, 'DELETE', `_component_template/${stream}`).catch(() => '');
    const left = (await askJson(url, 'GET', `_cat/indices/bkp_old_*${stream}*?format=json&expand_wildcards=all`)) as [];
    for (const { index } of left as readonly { readonly index: string }[]) await ask(url, 'DELETE', index);
  });
  await askJson(url, 'PUT', `_component_template/${stream}`, {
    template: {
      settings: { number_of_replicas: 0, number_of_shards: 1 },
      mappings: { properties: { n: { type: 'long' } } },
    },
  });
  await askJson(url, 'PUT', `_index_template/${stream}`, {
    index_patterns: [`s${prefix}*`],
    priority: 900,
    data_stream: {},
    composed_of: [stream],
  });
  const line = (id: string, n: string): string =>
    `{"create":{"_id":"${id}"}}\n{"@timestamp":"2026-11-19T02:00:00Z","n":${n}}`;
  await bulk(url, stream, [line('1', '9007199254740993'), line('2', '2')]);
  await ask(url, 'POST', `${stream}/_rollover`);
  await bulk(url, stream, [line('3', '3')]);
  const parts = async (name: string): Promise<readonly string[] | null> => {
    const found = (await askJson(url, 'GET', '_resolve/index/*?expand_wildcards=all')) as {
      readonly data_streams: readonly { readonly name: string; readonly backing_indices: readonly string[] }[];
    };
    return found.data_streams.find((one) => one.name === name)?.backing_indices ?? null;
  };
  return {
    ...own,
    stream,
    other,
    only: { ...(method === 'snapshot' ? byServer : target), indices: [stream] },
    parts,
    async contents(name) {
      await ask(url, 'POST', `${name}/_refresh`);
      const found = await ask(url, 'GET', `${name}/_search?size=100`);
      return [...found.matchAll(/"_index":"[^"]*?(\d\d)","_id":"([^"]*)","_score":1.0,"_source":(\{[^}]*\})/g)]
        .map(([, index, id, source]) => `${index} ${id} ${source}`)
        .toSorted();
    },
    add: (id, n) => bulk(url, stream, [line(id, n)]),
  };
}
