import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ResolvedBackup } from '../../src/policy/resolved-policy.ts';
import type { Observation, ObservedRepository, PlanOptions } from '../../src/reconcile/observation.ts';
import type { MarkRecord, RepositoryInventory, SnapshotRecord } from '../../src/snapshots/inventory.ts';
import { isBeingRemoved, isGood, protection, verifiedAt } from '../../src/snapshots/standing.ts';
import {
  aBackup,
  anInventory,
  anObservation,
  aPolicy,
  aSnapshot,
  aTarget,
  DAY,
  HOUR,
  keep,
  outline,
  planFor,
  ready,
} from './builders.ts';
import { simulate } from './model.ts';

/** Half a minute past: no tick, period or limit ends within the seconds of a test. */
const NOW = new Date('2026-11-20T06:00:30Z');
const REPOSITORIES = ['nas', 'offsite', 'cloud'];

/** Now and then later than now: a clock ran ahead. */
const minutesAgo = fc.oneof(
  { weight: 20, arbitrary: fc.integer({ min: -90, max: 60 * 24 * 60 }) },
  { weight: 1, arbitrary: fc.integer({ min: -60 * 24 * 400, max: 0 }) },
);
const timeOf = (minutes: number): Date => new Date(NOW.getTime() - 30_000 - minutes * 60_000);

const count = fc.option(fc.integer({ min: 1, max: 5 }), { nil: null });
const retention = fc.option(
  fc
    .record({
      keepLast: count,
      hourly: count,
      daily: count,
      weekly: count,
      monthly: count,
      withinMs: fc.option(
        fc.integer({ min: 1, max: 20 }).map((days) => days * DAY),
        { nil: null },
      ),
    })
    .map((rules) => keep(rules)),
  { nil: null },
);

const backups: fc.Arbitrary<ResolvedBackup> = fc
  .record({
    retention,
    repositories: fc.integer({ min: 1, max: 3 }).map((n) => REPOSITORIES.slice(0, n)),
    schedule: fc.constantFrom(
      null,
      { kind: 'cron', expression: '0 2 * * *' } as const,
      { kind: 'every', everyMs: 6 * HOUR } as const,
    ),
    timezone: fc.constantFrom('UTC', 'Europe/Berlin', 'America/St_Johns'),
    verify: fc.record({
      everyMs: fc.constantFrom(null, DAY, 7 * DAY),
      deepEveryMs: fc.constantFrom(null, 30 * DAY),
    }),
    maxPrune: fc.option(fc.integer({ min: 0, max: 3 }), { nil: null }),
    protect: fc.boolean(),
    enabled: fc.integer({ min: 0, max: 9 }).map((n) => n > 0),
    targets: fc.constantFrom([aTarget('db')], [aTarget('db', '/moved.db')]),
  })
  .map(aBackup);

const marks = fc
  .array(
    fc.record({
      kind: fc.constantFrom<MarkRecord['kind']>(
        'verified',
        'verified',
        'damaged',
        'protected',
        'unprotected',
        'released',
      ),
      minutes: minutesAgo,
      deep: fc.boolean(),
    }),
    { maxLength: 3 },
  )
  .map((list) =>
    list
      .map(({ kind, minutes, deep }): MarkRecord => ({
        kind,
        at: timeOf(minutes).toISOString(),
        data: kind === 'released' ? { keys: ['db.db'] } : { deep, artifacts: [] },
      }))
      .toSorted((a, b) => (a.at < b.at ? -1 : 1)),
  );

interface Drawn {
  readonly minutes: number;
  readonly kind: SnapshotRecord['kind'];
  readonly status: SnapshotRecord['status'];
  readonly old: boolean;
  readonly places: readonly ('absent' | 'here' | 'gone' | 'unreadable' | 'empty' | 'remains')[];
  readonly marks: readonly (readonly MarkRecord[])[];
}

const snapshots: fc.Arbitrary<readonly Drawn[]> = fc.uniqueArray(
  fc.record({
    minutes: minutesAgo,
    kind: fc.constantFrom<SnapshotRecord['kind']>('backup', 'backup', 'backup', 'backup', 'safety', 'adopted'),
    status: fc.constantFrom<SnapshotRecord['status']>('created', 'created', 'created', 'partial'),
    old: fc.integer({ min: 0, max: 4 }).map((n) => n === 0),
    places: fc.array(
      fc.constantFrom<Drawn['places'][number]>(
        'absent',
        'here',
        'here',
        'here',
        'here',
        'gone',
        'unreadable',
        'empty',
        'remains',
      ),
      { minLength: 3, maxLength: 3 },
    ),
    marks: fc.array(marks, { minLength: 3, maxLength: 3 }),
  }),
  { maxLength: 14, selector: ({ minutes }) => minutes },
);

function repositoryOf(
  backup: ResolvedBackup,
  name: string,
  index: number,
  drawn: readonly Drawn[],
): RepositoryInventory {
  const before = aBackup({ targets: [aTarget('db', '/before.db')] });
  const record = ({ minutes, kind, status, old, places, marks: all }: Drawn): SnapshotRecord =>
    aSnapshot(timeOf(minutes), old ? before : backup, {
      kind,
      status,
      tick: kind === 'backup' && status === 'created' ? timeOf(minutes).toISOString() : null,
      marks: all[index] ?? [],
      folderPresent: places[index] !== 'empty',
    });
  const at = (place: Drawn['places'][number]) => drawn.filter(({ places }) => places[index] === place).map(record);
  return anInventory([...at('here'), ...at('empty')], {
    repositoryId: name,
    gone: at('gone').map(({ backup: folder, id }) => ({
      backup: folder,
      id,
      marks: [{ kind: 'released', at: NOW.toISOString(), data: { keys: [] } }],
    })),
    unreadable: at('unreadable').map(({ backup: folder, id }) => ({
      backup: folder,
      id,
      reason: 'unreadable',
      message: 'm',
    })),
    remains: at('remains').map(({ backup: folder, id, policy }) => ({
      backup: folder,
      id,
      kind: 'begun',
      policy,
      keys: ['db.db'],
      inProgress: false,
    })),
  });
}

interface World {
  readonly backup: ResolvedBackup;
  readonly observation: Observation;
  readonly options: PlanOptions;
}

const worlds: fc.Arbitrary<World> = fc
  .record({
    backup: backups,
    drawn: snapshots,
    unavailable: fc.array(
      fc.integer({ min: 0, max: 7 }).map((n) => n === 0),
      { minLength: 3, maxLength: 3 },
    ),
    maxPrune: fc.constantFrom(undefined, 100),
    requested: fc.integer({ min: 0, max: 5 }).map((n) => n === 0),
  })
  .map(({ backup, drawn, unavailable, maxPrune, requested }) => ({
    backup,
    options: { ...(maxPrune === undefined ? {} : { maxPrune }), ...(requested ? { requested: [backup.name] } : {}) },
    observation: anObservation(
      backup.repositories.map((name, index): ObservedRepository =>
        unavailable[index] === true
          ? { name, state: 'unavailable', message: 'away', hint: null }
          : ready(name, repositoryOf(backup, name, index, drawn)),
      ),
    ),
  }));

const inReady = (observation: Observation): ReadonlyMap<string, readonly SnapshotRecord[]> =>
  new Map(
    observation.repositories.flatMap((one) =>
      one.state === 'ready' ? [[one.name, one.inventory.snapshots] as const] : [],
    ),
  );

const assertProperty = (check: (world: World) => void): void =>
  fc.assert(fc.property(worlds, check), { numRuns: 3_000 });

test('a plan that was carried out leaves nothing to plan', () => {
  assertProperty(({ backup, observation, options }) => {
    const policy = aPolicy([backup]);
    const after = simulate(planFor(policy, observation, NOW, options), observation, backup, NOW);
    const { requested: _, ...unasked } = options;
    expect(outline(planFor(policy, after, new Date(NOW.getTime() + 1_000), unasked))).toEqual([]);
  });
});

test('no prune takes the newest good, the newest verified or a protected snapshot, whenever it happens', () => {
  assertProperty(({ backup, observation, options }) => {
    const made = planFor(aPolicy([backup]), observation, NOW, options);
    simulate(made, observation, backup, NOW, (step, here) => {
      if (step.action !== 'prune') return;
      const pruned = here.find(({ id }) => id === step.snapshot);
      if (pruned === undefined) throw new Error('prunes what is not there');
      expect(protection(pruned)).toBeNull();
      if (pruned.kind === 'safety') return;
      expect(here.some(isGood)).toBe(true);
      if (isBeingRemoved(pruned)) return;
      const newer = here.filter((one) => isGood(one) && one.startedAt > pruned.startedAt);
      expect(newer.length).toBeGreaterThan(0);
      if (verifiedAt(pruned) !== null && isGood(pruned))
        expect(newer.filter((one) => verifiedAt(one) !== null).length).toBeGreaterThan(0);
    });
  });
});

test('a repository that held a good snapshot holds one after every step, and none is taken for good that is not', () => {
  assertProperty(({ backup, observation, options }) => {
    const made = planFor(aPolicy([backup]), observation, NOW, options);
    const before = inReady(observation);
    const after = inReady(
      simulate(made, observation, backup, NOW, (step, here) => {
        if ((before.get(step.repository) ?? []).some(isGood)) expect(here.some(isGood)).toBe(true);
      }),
    );
    for (const [name, snapshotsBefore] of before)
      if (snapshotsBefore.some(isGood)) expect(after.get(name)?.some(isGood)).toBe(true);
  });
});

test('every step stands after what it depends on, and every dependency exists', () => {
  assertProperty(({ backup, observation, options }) => {
    const { steps, summary } = planFor(aPolicy([backup]), observation, NOW, options);
    const seen = new Set<string>();
    for (const step of steps) {
      for (const id of [...step.dependsOn, ...(step.snapshotFrom === null ? [] : [step.snapshotFrom])])
        expect(seen.has(id)).toBe(true);
      expect(seen.has(step.id)).toBe(false);
      seen.add(step.id);
    }
    expect(steps.length).toBe(
      summary.create +
        summary.copy +
        summary.replace +
        summary.verify +
        summary.restore +
        summary.prune +
        summary.clean,
    );
    const places = new Set(observation.repositories.flatMap(({ name, state }) => (state === 'ready' ? [name] : [])));
    for (const step of steps) expect(places.has(step.repository)).toBe(true);
  });
});

test('the same input gives the same bytes', () => {
  assertProperty(({ backup, observation, options }) => {
    const text = (): string => JSON.stringify(planFor(aPolicy([backup]), structuredClone(observation), NOW, options));
    expect(text()).toBe(text());
  });
});

test('no prune is planned beside a capture that it does not depend on', () => {
  assertProperty(({ backup, observation, options }) => {
    const { steps } = planFor(aPolicy([backup]), observation, NOW, options);
    const create = steps.find(({ action }) => action === 'create');
    if (create === undefined) return;
    for (const step of steps.filter(({ action }) => action === 'prune')) expect(step.dependsOn).toContain(create.id);
  });
});
