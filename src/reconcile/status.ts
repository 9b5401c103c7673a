import type { ResolvedPolicy } from '../policy/resolved-policy.ts';
import { lastTick, nextTick } from '../schedule/ticks.ts';
import { indexFolders, viewBackup, type BackupView, type GoodSnapshot } from './backup-view.ts';
import type { Observation } from './observation.ts';
import { newestBy, satisfies } from './plan-create.ts';
import { noticeDrift } from './plan-drift.ts';
import type { PlanNotice } from './step.ts';

/** How one backup stands against its schedule. */
export interface BackupStatus {
  readonly backup: string;
  /** `late`: the last tick has no good snapshot; `missing`: there is none at all; `unknown`: nothing could be read. */
  readonly state: 'good' | 'late' | 'missing' | 'disabled' | 'unknown';
  readonly lastGood: string | null;
  readonly lastGoodAt: string | null;
  readonly ageSeconds: number | null;
  readonly dueAt: string | null;
  readonly nextAt: string | null;
  /** Repositories that hold the last good snapshot, of those that should. */
  readonly copies: number;
  readonly wantedCopies: number;
  /** How large the last good snapshot is when it is brought back. */
  readonly sizeBytes: number | null;
  /** What all snapshots of the backup take in the repositories that can be read. */
  readonly storedBytes: number;
  readonly lastError: { readonly at: string; readonly message: string } | null;
}

export interface Status {
  readonly formatVersion: 1;
  readonly policy: string;
  readonly healthy: boolean;
  readonly backups: readonly BackupStatus[];
  readonly warnings: readonly PlanNotice[];
  readonly errors: readonly PlanNotice[];
}

/** Freshness computed from the repositories, not from who ran when. Pure. */
export function statusOf(policy: ResolvedPolicy, observation: Observation, now: Date): Status {
  const folders = indexFolders(observation);
  const backups = policy.backups.map((backup) => backupStatus(viewBackup(policy, backup, folders), now));
  const warnings = noticeDrift(policy, observation);
  const errors = observation.repositories.flatMap((repository): readonly PlanNotice[] =>
    repository.state === 'ready'
      ? []
      : [
          {
            code: repository.state === 'unidentified' ? 'identity-missing' : 'repository-unavailable',
            message: repository.message,
            hint: repository.hint,
            address: repository.name,
          },
        ],
  );
  const drift = warnings.some((notice) => notice.code === 'drift');
  const healthy =
    errors.length === 0 &&
    !drift &&
    backups.every(
      ({ state, copies, wantedCopies }) => state === 'disabled' || (state === 'good' && copies === wantedCopies),
    );
  return { formatVersion: 1, policy: policy.name, healthy, backups, warnings, errors };
}

function backupStatus(view: BackupView, now: Date): BackupStatus {
  const { backup } = view;
  const own = view.good.filter(({ record }) => record.kind === 'backup');
  const newest = newestBy(own, now);
  const due = backup.schedule === null ? null : lastTick(backup.schedule, backup.timezone, now);
  const next = backup.schedule === null ? null : nextTick(backup.schedule, backup.timezone, now);
  const failed = view.runs.findLast((run) => run.finishedAt !== null && run.steps.some((step) => step.error !== null));
  const lastGoodAt = newest?.record.startedAt ?? null;
  const error = failed?.steps.find((step) => step.error !== null)?.error;
  return {
    backup: backup.name,
    state: stateOf(view, own, due, now),
    lastGood: newest?.record.id ?? null,
    lastGoodAt,
    ageSeconds: lastGoodAt === null ? null : Math.round((now.getTime() - Date.parse(lastGoodAt)) / 1000),
    dueAt: due?.toISOString() ?? null,
    nextAt: next?.toISOString() ?? null,
    copies: newest?.holders.length ?? 0,
    wantedCopies: backup.repositories.length,
    sizeBytes: newest?.record.sizeBytes ?? null,
    storedBytes: view.repositories
      .flatMap(({ snapshots }) => [...snapshots.values()])
      .reduce((sum, snapshot) => sum + snapshot.storedBytes, 0),
    lastError:
      failed === undefined || error === undefined || error === null || failed.startedAt < (lastGoodAt ?? '')
        ? null
        : { at: failed.startedAt, message: error },
  };
}

function stateOf(view: BackupView, own: readonly GoodSnapshot[], due: Date | null, now: Date): BackupStatus['state'] {
  if (!view.backup.enabled) return 'disabled';
  if (view.repositories.every((repository) => repository.state !== 'ready')) return 'unknown';
  if (own.length === 0) return 'missing';
  return due === null || satisfies(own, due, now) ? 'good' : 'late';
}
