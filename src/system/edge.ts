import { randomBytes } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Identities, readIdentities } from '../encryption/identities.ts';
import { BkpError, usageError } from '../errors.ts';
import type { RunEvent } from '../event.ts';
import type { Edge } from '../reconcile/session.ts';
import { makeId } from '../snapshots/ids.ts';
import { BKP_VERSION } from '../version.ts';
import { cacheDirectory } from './cache-directory.ts';
import { createContext } from './create-context.ts';
import { systemLookups } from './lookups.ts';

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

/** One from the environment that cannot be used is told only: a capture needs none and must go on. */
function openIdentities(named: readonly string[], emit: EdgeOptions['emit']): Identities | undefined {
  const files = identityPaths(named);
  if (files.length === 0) return undefined;
  try {
    files.forEach(assertRegular);
    return readIdentities(files, (path) => readFileSync(path, 'utf8'));
  } catch (error) {
    if (named.length > 0 || !(error instanceof BkpError)) throw error;
    emit({ type: 'warning', message: `${error.message} (${IDENTITY_VARIABLE})` });
    return undefined;
  }
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
  const identities = openIdentities(identityFiles, emit);
  const { context, registerSecrets, dispose } = await createContext({
    emit,
    identities,
    secrets: identities?.keys ?? [],
  });
  return {
    edge: {
      context,
      signal,
      lookups: { ...systemLookups, onSecrets: registerSecrets },
      cacheDir: cacheDir ?? cacheDirectory(),
      bkpVersion: BKP_VERSION,
      newId: (at) => makeId(at, randomBytes(8)),
    },
    dispose,
  };
}
