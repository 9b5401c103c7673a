import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { RunEvent } from '../event.ts';
import type { Edge } from '../reconcile/session.ts';
import { makeId } from '../snapshots/ids.ts';
import { BKP_VERSION } from '../version.ts';
import { cacheDirectory } from './cache-directory.ts';
import { createContext } from './create-context.ts';

export interface EdgeOptions {
  readonly signal: AbortSignal;
  readonly emit: (event: RunEvent) => void;
  /** Where the catalog lives; default the user's cache folder. */
  readonly cacheDir?: string;
}

/** This machine as a run sees it. Call `dispose` once nothing of the run works any more. */
export async function openEdge({
  signal,
  emit,
  cacheDir,
}: EdgeOptions): Promise<{ readonly edge: Edge; readonly dispose: () => Promise<void> }> {
  const { context, registerSecrets, dispose } = await createContext({ emit });
  return {
    edge: {
      context,
      signal,
      lookups: { env: process.env, readFile: (path) => readFileSync(path, 'utf8'), onSecrets: registerSecrets },
      cacheDir: cacheDir ?? cacheDirectory(),
      bkpVersion: BKP_VERSION,
      newId: (at) => makeId(at, randomBytes(8)),
    },
    dispose,
  };
}
