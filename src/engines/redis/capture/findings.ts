import type { Problem } from '../../engine.ts';
import type { ServerInfo } from '../server/server-info.ts';

/** What people must know of a capture that is whole all the same. */
export function warningsOf({ fields }: ServerInfo): readonly Problem[] {
  if (fields.get('cluster_enabled') !== '1') return [];
  return [
    {
      message: 'the server is one of a cluster: only the keys of its own slots are captured',
      hint: 'make one target for every node that holds slots',
    },
  ];
}
