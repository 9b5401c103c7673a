import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startOpenSearch } from '../../services/search/opensearch.ts';
import type { RunningService } from '../../services/service.ts';

/** Starts an OpenSearch of a suite's own, with settings; its data goes when it stops. */
export async function startOwnServer(
  version: string,
  settings: Readonly<Record<string, string>>,
): Promise<RunningService> {
  const folder = mkdtempSync(join(tmpdir(), 'bkp-own-search-'));
  // The server runs as another user where we are root.
  chmodSync(folder, 0o755);
  const { connection, stop } = await startOpenSearch(version, folder, settings);
  return {
    connection,
    stop: async () => {
      await stop();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    },
  };
}
