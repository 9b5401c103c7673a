import type { Host } from '../context.ts';
import type { RunRecord } from '../snapshots/run-record.ts';

/** Ids of the snapshots that runs are restoring now; a run of this machine whose process is gone died. */
export function restoringNow(runs: readonly RunRecord[], host: Host): ReadonlySet<string> {
  const alive = runs.filter((run) => run.finishedAt === null && !isGone(run, host));
  const restores = alive.flatMap(({ steps }) => steps.filter(({ action }) => action === 'restore'));
  return new Set(restores.flatMap(({ snapshot }) => snapshot ?? []));
}

const isGone = (run: RunRecord, host: Host): boolean =>
  run.host === host.name && run.bootId === host.bootId && !host.isAlive(run.pid);
