import { pathOfIndex } from '../artifact/index-header.ts';
import type { SearchServer } from '../server/server.ts';

/** Has a data stream begin a new index. */
export async function rollOver(server: SearchServer, stream: string, doing: string): Promise<void> {
  await server.bytes({
    method: 'POST',
    path: `/${pathOfIndex(stream)}/_rollover`,
    doing: `${doing}: cannot begin a new index of it`,
    isFinished: true,
    repeatable: false,
  });
}
