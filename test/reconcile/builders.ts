import { definitionDigest, definitionsOf } from '../../src/reconcile/definition.ts';
import type { Observation, ObservedRepository, PlanOptions } from '../../src/reconcile/observation.ts';
import { plan } from '../../src/reconcile/plan.ts';
import type { Plan } from '../../src/reconcile/step.ts';
import type {
  ResolvedBackup,
  ResolvedPolicy,
  ResolvedTarget,
  SourcePosition,
} from '../../src/policy/resolved-policy.ts';
import type { MarkRecord, RepositoryInventory, SnapshotRecord } from '../../src/snapshots/inventory.ts';

export const DAY = 86_400_000;
export const HOUR = 3_600_000;
const source: SourcePosition = { file: 'bkp.yaml', line: 1, column: 1 };

export function aTarget(name: string, path: string = `/data/${name}.db`): ResolvedTarget {
  return {
    name,
    formerly: [],
    config: { type: 'sqlite', path },
    definition: { type: 'sqlite', path },
    compression: { method: 'zstd', level: 3 },
    checks: 'full',
    directory: '/',
    source,
  };
}

export function aBackup(parts: Partial<ResolvedBackup> = {}): ResolvedBackup {
  return {
    name: 'app',
    formerly: [],
    enabled: true,
    protect: false,
    targets: [aTarget('db')],
    repositories: ['nas'],
    schedule: { kind: 'cron', expression: '0 2 * * *' },
    timezone: 'UTC',
    retention: null,
    hooks: { before: [], after: [] },
    checks: {},
    verify: { everyMs: null, deepEveryMs: null },
    retryAfterMs: HOUR,
    maxPrune: null,
    parallelism: 2,
    timeoutMs: null,
    idleTimeoutMs: 15 * 60_000,
    safetyKeepMs: 7 * DAY,
    keepOldMs: DAY,
    source,
    sources: {},
    ...parts,
  };
}

export function aPolicy(backups: readonly ResolvedBackup[], parts: Partial<ResolvedPolicy> = {}): ResolvedPolicy {
  const repositories = [...new Set(backups.flatMap((backup) => backup.repositories))];
  return {
    name: 'acme',
    formerly: [],
    path: 'bkp.yaml',
    sha256: 'a'.repeat(64),
    files: {},
    repositories: repositories.map((name) => ({
      name,
      config: { type: 'directory', path: `/repo/${name}` },
      directory: '/',
      source,
    })),
    targets: Object.fromEntries(backups.flatMap((backup) => backup.targets).map((target) => [target.name, target])),
    backups,
    restores: [],
    ...parts,
  };
}

export const keep = (
  parts: Partial<NonNullable<ResolvedBackup['retention']>>,
): NonNullable<ResolvedBackup['retention']> => ({
  keepLast: null,
  hourly: null,
  daily: null,
  weekly: null,
  monthly: null,
  yearly: null,
  withinMs: null,
  ...parts,
});

const stamp = (at: Date): string => at.toISOString().replaceAll(/[-:]|\.\d+/g, '');

export function aSnapshot(
  at: string | Date,
  backup: ResolvedBackup,
  parts: Partial<SnapshotRecord> = {},
): SnapshotRecord {
  const started = new Date(at);
  return {
    backup: backup.name,
    id: `${stamp(started)}-aaaaaaaa`,
    policy: 'acme',
    kind: 'backup',
    status: 'created',
    tick: started.toISOString(),
    startedAt: started.toISOString(),
    finishedAt: new Date(started.getTime() + 1_000).toISOString(),
    definitionSha256: definitionDigest(definitionsOf(backup)),
    targets: Object.fromEntries(backup.targets.map((target) => [target.name, 'captured'])),
    protect: false,
    sizeBytes: 1_000,
    storedBytes: 100,
    marks: [],
    folderPresent: true,
    ...parts,
  };
}

export const aMark = (kind: MarkRecord['kind'], at: string | Date, data: Record<string, unknown> = {}): MarkRecord => ({
  kind,
  at: new Date(at).toISOString(),
  data,
});

export function anInventory(
  snapshots: readonly SnapshotRecord[],
  parts: Partial<RepositoryInventory> = {},
): RepositoryInventory {
  return {
    repositoryId: 'r1',
    snapshots,
    remains: [],
    unreadable: [],
    gone: [],
    foreign: [],
    runs: [],
    leases: [],
    ...parts,
  };
}

export const ready = (name: string, inventory: RepositoryInventory): ObservedRepository => ({
  name,
  state: 'ready',
  inventory,
});

export function anObservation(
  repositories: readonly ObservedRepository[],
  parts: Partial<Observation> = {},
): Observation {
  return { repositories, lastDefinitions: {}, setAside: [], destinations: {}, notices: [], ...parts };
}

/** Plans and gives the plan, with the simplest of everything that is not given. */
export function planFor(
  policy: ResolvedPolicy,
  observation: Observation,
  now: string | Date,
  options: PlanOptions = {},
): Plan {
  return plan({ policy, observation, now: new Date(now), options, bkpVersion: '0.0.0' });
}

/** `create app@nas first-snapshot` for every step. */
export const outline = (made: Plan): readonly string[] =>
  made.steps.map((step) => `${step.action} ${step.address} ${step.reason.code}`);
export const outlineWithheld = (made: Plan): readonly string[] =>
  made.withheld.map((entry) => `${entry.action} ${entry.address} ${entry.reason.code}`);
