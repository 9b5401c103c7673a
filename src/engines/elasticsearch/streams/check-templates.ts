import type { SearchServer } from '../server/server.ts';
import { listTemplates, templateFor } from './templates.ts';
import type { WantedStream } from './wanted.ts';

/** Tells of streams that no template of the server means: they stand there, but begin no new index. */
export async function checkTemplates(
  server: SearchServer,
  streams: readonly WantedStream[],
  warn: (message: string) => void,
): Promise<void> {
  if (streams.length === 0) return;
  const templates = await listTemplates(server);
  for (const { to, template } of streams) {
    if (templateFor(to, templates) !== null) continue;
    const before = template === null ? '' : `, which lived by ${template}`;
    warn(
      `data stream ${to}${before}: no index template of this server makes streams of that name: it cannot roll over`,
    );
  }
}
