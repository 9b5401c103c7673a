import { randomBytes } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { readIdentities } from '../encryption/identities.ts';
import { usageError } from '../errors.ts';
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
  /** Files with private keys, as the user named them; BKP_AGE_IDENTITY_FILE counts where none is named. */
  readonly identityFiles?: readonly string[];
}

const IDENTITY_VARIABLE = 'BKP_AGE_IDENTITY_FILE';

/** Absolute paths of the identity files that were named, on the command line or else in the environment. */
export function identityPaths(named: readonly string[]): readonly string[] {
  const fallback = [process.env[IDENTITY_VARIABLE] ?? ''].filter((path) => path !== '');
  return (named.length > 0 ? named : fallback).map((path) => resolve(path));
}

/** It is read more than once, by other programs too: what a shell makes of `<(…)` is gone by then. */
function assertRegular(path: string): void {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats !== undefined && !stats.isFile()) throw usageError(`cannot use identity ${path}: it is not a regular file`);
}

/** This machine as a run sees it. Call `dispose` once nothing of the run works any more. */
export async function openEdge({
  signal,
  emit,
  cacheDir,
  identityFiles = [],
}: EdgeOptions): Promise<{ readonly edge: Edge; readonly dispose: () => Promise<void> }> {
  const files = identityPaths(identityFiles);
  files.forEach(assertRegular);
  const identities = files.length === 0 ? undefined : readIdentities(files, (path) => readFileSync(path, 'utf8'));
  const { context, registerSecrets, dispose } = await createContext({
    emit,
    identities,
    secrets: identities?.keys ?? [],
  });
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
