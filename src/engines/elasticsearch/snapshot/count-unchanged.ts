import type { SearchServer } from '../server/server.ts';
import { pathOfIndex } from '../artifact/index-header.ts';

interface Stats {
  readonly indices?: Readonly<
    Record<
      string,
      {
        readonly shards?: Readonly<
          Record<
            string,
            readonly {
              readonly routing?: { readonly primary?: boolean };
              readonly seq_no?: { readonly max_seq_no?: number };
            }[]
          >
        >;
      }
    >
  >;
}

/** The last operation of every shard of an index: the same later on where nobody wrote to it in between. */
export async function lastOperations(server: SearchServer, index: string): Promise<string> {
  const answer = (await server.json({
    method: 'GET',
    path: `/${pathOfIndex(index)}/_stats/docs`,
    query: { level: 'shards' },
    doing: `cannot look for changes of index ${index}`,
  })) as Stats;
  const shards = Object.entries(answer.indices?.[index]?.shards ?? {});
  const told = shards.map(([shard, copies]) => {
    const primary = copies.find(({ routing }) => routing?.primary === true);
    return `${shard}=${primary?.seq_no?.max_seq_no ?? 'unknown'}`;
  });
  return told.toSorted().join(' ');
}
