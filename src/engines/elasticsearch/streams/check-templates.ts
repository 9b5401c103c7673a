import { targetError } from '../../../errors.ts';
import type { SearchServer } from '../server/server.ts';
import { listTemplates, templateFor } from './templates.ts';
import type { WantedStream } from './wanted.ts';

/**
 * Tells of streams that no template of the server means: a snapshot brings them back, but they begin no new index. Throws
 * where they are to be made by one.
 */
export async function checkTemplates(
  server: SearchServer,
  streams: readonly WantedStream[],
  { isNeeded, warn }: { readonly isNeeded: boolean; readonly warn: (message: string) => void },
): Promise<void> {
  if (streams.length === 0) return;
  const templates = await listTemplates(server);
  for (const { to, template } of streams) {
    if (templateFor(to, templates) !== null) continue;
    if (isNeeded)
      throw targetError(
        `cannot restore data stream ${to}: no index template of this server makes streams of that name`,
        {
          hint: template === null ? 'make one first' : `it lived by ${template}: make that one, or one like it, first`,
        },
      );
    const before = template === null ? '' : `, which lived by ${template}`;
    warn(
      `data stream ${to}${before}: no index template of this server makes streams of that name: it cannot roll over`,
    );
  }
}
