import type { Definition, StreamHeader } from '../artifact/index-header.ts';
import { readGlobals } from '../capture/read-globals.ts';
import type { SearchServer } from '../server/server.ts';
import type { SearchTarget } from '../server/settings.ts';
import { definitionsOfAll } from './templates.ts';

/** What belongs to the cluster; where it is not asked for, only what data streams need to live on. */
export async function globalsFor(
  target: SearchTarget,
  server: SearchServer,
  streams: readonly Pick<StreamHeader, 'template'>[],
): Promise<readonly Definition[]> {
  if (target.globals === false && streams.length === 0) return [];
  const all = await readGlobals(server);
  if (target.globals !== false) return all;
  return definitionsOfAll(
    streams.map(({ template }) => template),
    all,
  );
}
