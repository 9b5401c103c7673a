import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Context } from '../../src/context.ts';
import type { RunEvent } from '../../src/event.ts';
import { loadPolicy } from '../../src/policy/load.ts';
import { openSession } from '../../src/reconcile/open-session.ts';
import type { Session } from '../../src/reconcile/session.ts';
import type { FileSteps } from '../../src/repositories/file-steps.ts';
import { makeId } from '../../src/snapshots/ids.ts';
import { systemClock } from '../../src/system/clock.ts';
import { createContext } from '../../src/system/create-context.ts';
import { systemPolicyFiles } from '../../src/system/policy-files.ts';

export interface TestEdge {
  readonly policy: string;
  readonly cacheDir: string;
  readonly signal?: AbortSignal;
  readonly emit?: (event: RunEvent) => void;
  readonly leaseMs?: number | undefined;
  readonly clockOffsetMs?: number | undefined;
  readonly fileSteps?: FileSteps;
  readonly workDirParent?: string;
}

/** The real program's session, with a clock, a lease time and file system steps of the test's own. */
export async function withTestSession<T>(edge: TestEdge, work: (session: Session) => Promise<T>): Promise<T> {
  const { leaseMs, clockOffsetMs = 0, fileSteps, workDirParent } = edge;
  const { policy } = await loadPolicy({ path: edge.policy, files: systemPolicyFiles(async () => '') });
  const { context, registerSecrets, dispose } = await createContext({
    ...(edge.emit === undefined ? {} : { emit: edge.emit }),
    ...(workDirParent === undefined ? {} : { workDirParent }),
    clock: { ...systemClock, now: () => new Date(systemClock.now().getTime() + clockOffsetMs) },
  });
  const stepped: Context & { readonly fileSteps?: FileSteps } =
    fileSteps === undefined ? context : { ...context, fileSteps };
  try {
    return await work(
      openSession(policy, {
        context: stepped,
        signal: edge.signal ?? new AbortController().signal,
        lookups: { env: process.env, readFile: (path) => readFileSync(path, 'utf8'), onSecrets: registerSecrets },
        cacheDir: edge.cacheDir,
        bkpVersion: '0.0.0-test',
        ...(leaseMs === undefined ? {} : { leaseMs }),
        newId: (at) => makeId(at, randomBytes(8)),
      }),
    );
  } finally {
    await dispose();
  }
}
