import { pathOfIndex } from '../artifact/index-header.ts';
import type { SearchServer } from './server.ts';

/** Names that fit into the first line of a request. */
const AT_ONCE = 30;

interface Stats {
  readonly _all?: {
    readonly primaries?: {
      readonly docs?: { readonly count?: number };
      readonly store?: { readonly size_in_bytes?: number };
    };
  };
}

/** Documents of indices, with those inside others, and the bytes they take on the server. */
export async function sizeOf(
  server: SearchServer,
  names: readonly string[],
): Promise<{ readonly documents: number; readonly bytes: number }> {
  const sum = { documents: 0, bytes: 0 };
  for (let at = 0; at < names.length; at += AT_ONCE) {
    const some = names.slice(at, at + AT_ONCE).map(pathOfIndex);
    const stats = (await server.json({
      method: 'GET',
      path: `/${some.join(',')}/_stats/docs,store`,
      doing: 'cannot read the sizes of the indices',
    })) as Stats;
    sum.documents += stats._all?.primaries?.docs?.count ?? 0;
    sum.bytes += stats._all?.primaries?.store?.size_in_bytes ?? 0;
  }
  return sum;
}
