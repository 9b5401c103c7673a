import { describe, expect, it } from 'vitest';
import {
  aBackup,
  aMark,
  anInventory,
  anObservation,
  aPolicy,
  aSnapshot,
  aTarget,
  DAY,
  HOUR,
  keep,
  outline,
  outlineWithheld,
  planFor,
  ready,
} from './builders.ts';
import type { RunRecord } from '../../src/snapshots/run-record.ts';

const now = '2026-11-20T06:00:00Z';
const nas = (...snapshots: Parameters<typeof anInventory>[0]) => anObservation([ready('nas', anInventory(snapshots))]);

function aRun(parts: Partial<RunRecord>): RunRecord {
  return {
    formatVersion: 1,
    id: '20261120T050000Z-rrrrrrrr',
    policy: 'acme',
    backup: 'app',
    command: 'apply',
    host: 'h',
    bootId: 'b',
    pid: 1,
    bkp: '0',
    startedAt: '2026-11-20T05:30:00.000Z',
    finishedAt: '2026-11-20T05:31:00.000Z',
    outcome: 'failed',
    tick: '2026-11-20T02:00:00.000Z',
    definitionSha256: aSnapshot(now, aBackup()).definitionSha256,
    steps: [
      { action: 'create', address: 'app@nas', reason: 'schedule-due', outcome: 'failed', snapshot: null, error: 'x' },
    ],
    owedHooks: [],
    setAside: [],
    ...parts,
  };
}

describe('captures', () => {
  const backup = aBackup();
  const policy = aPolicy([backup]);

  it('plans a first snapshot where there is none', () => {
    expect(outline(planFor(policy, nas(), now))).toEqual(['create app@nas first-snapshot']);
  });

  it('plans nothing while the last tick has a good snapshot', () => {
    const made = planFor(policy, nas(aSnapshot('2026-11-20T02:00:03Z', backup)), now);
    expect(made.steps).toEqual([]);
    expect(made.keep.map((kept) => kept.reason.code)).toEqual(['fresh', 'retained']);
  });

  it('says how late a tick is', () => {
    const made = planFor(policy, nas(aSnapshot('2026-11-19T02:00:03Z', backup)), now);
    expect(outline(made)).toEqual(['create app@nas schedule-due']);
    expect(made.steps[0]?.reason.message).toContain('4h late');
    expect(made.steps[0]?.reason.data).toMatchObject({ lateSeconds: 4 * 3600 });
  });

  it('captures for a tick that is at most five minutes away', () => {
    const last = aSnapshot('2026-11-19T02:00:03Z', backup);
    expect(outline(planFor(policy, nas(last), '2026-11-20T01:54:59Z'))).toEqual([]);
    expect(outline(planFor(policy, nas(last), '2026-11-20T01:55:00Z'))).toEqual(['create app@nas schedule-due']);
  });

  it('captures again when something else is to be captured, and not when a target is renamed with `formerly`', () => {
    const changed = aBackup({ targets: [aTarget('db', '/elsewhere.db')] });
    const observation = {
      ...nas(aSnapshot('2026-11-20T02:00:03Z', backup)),
      lastDefinitions: { app: { db: { type: 'sqlite', path: '/data/db.db' } } },
    };
    const made = planFor(aPolicy([changed]), observation, now);
    expect(outline(made)).toEqual(['create app@nas definition-changed']);
    expect(made.steps[0]?.reason.message).toBe('target db changed');
    const renamed = aBackup({ targets: [{ ...aTarget('main', '/data/db.db'), formerly: ['db'] }] });
    expect(outline(planFor(aPolicy([renamed]), observation, now))).toEqual([]);
  });

  it('follows a renamed backup and a renamed policy', () => {
    const renamed = aBackup({ name: 'shop', formerly: ['app'] });
    const observation = nas(aSnapshot('2026-11-20T02:00:03Z', backup));
    expect(outline(planFor(aPolicy([renamed]), observation, now))).toEqual([]);
    expect(outline(planFor(aPolicy([backup], { name: 'new', formerly: ['acme'] }), observation, now))).toEqual([]);
    expect(outline(planFor(aPolicy([aBackup({ name: 'shop' })]), observation, now))).toEqual([
      'create shop@nas first-snapshot',
    ]);
  });

  it('is not satisfied by partial, safety, adopted or damaged snapshots', () => {
    for (const parts of [
      { status: 'partial' },
      { kind: 'safety' },
      { kind: 'adopted' },
      { folderPresent: false },
    ] as const) {
      const made = planFor(
        policy,
        nas(aSnapshot('2026-11-19T02:00:00Z', backup), aSnapshot('2026-11-20T02:00:03Z', backup, parts)),
        now,
      );
      expect(made.steps.filter((step) => step.action === 'create')).toHaveLength(1);
    }
  });

  it('waits after a failed try, but not after the policy was corrected or when asked', () => {
    const old = aSnapshot('2026-11-19T02:00:03Z', backup);
    const observe = (run: RunRecord) => anObservation([ready('nas', anInventory([old], { runs: [run] }))]);
    const made = planFor(policy, observe(aRun({})), now);
    expect(outline(made)).toEqual([]);
    expect(outlineWithheld(made)).toEqual(['create app@nas schedule-due']);
    expect(outline(planFor(policy, observe(aRun({})), '2026-11-20T06:31:00Z'))).toEqual([
      'create app@nas schedule-due',
    ]);
    expect(outline(planFor(policy, observe(aRun({ definitionSha256: 'other' })), now))).toHaveLength(1);
    expect(outline(planFor(policy, observe(aRun({ outcome: 'interrupted' })), now))).toHaveLength(1);
    expect(outline(planFor(policy, observe(aRun({})), now, { requested: ['app'] }))).toEqual([
      'create app@nas requested',
    ]);
  });

  it('does nothing for a disabled backup', () => {
    const made = planFor(aPolicy([aBackup({ enabled: false })]), nas(), now);
    expect(outline(made)).toEqual([]);
    expect(outlineWithheld(made)).toEqual(['create app@nas disabled']);
  });
});

describe('several repositories', () => {
  const backup = aBackup({ repositories: ['nas', 'offsite'] });
  const policy = aPolicy([backup]);
  const snapshot = aSnapshot('2026-11-20T02:00:03Z', backup);

  it('creates in the first and copies to the others', () => {
    const made = planFor(
      policy,
      anObservation([ready('nas', anInventory([])), ready('offsite', anInventory([]))]),
      now,
    );
    expect(outline(made)).toEqual(['create app@nas first-snapshot', 'copy app@offsite replica-missing']);
    expect(made.steps[1]).toMatchObject({ snapshot: null, snapshotFrom: 's1', dependsOn: ['s1'], from: 'nas' });
  });

  it('copies what a repository lacks, replaces what it holds damaged', () => {
    const missing = planFor(
      policy,
      anObservation([ready('nas', anInventory([])), ready('offsite', anInventory([snapshot]))]),
      now,
    );
    expect(outline(missing)).toEqual(['copy app@nas replica-missing']);
    expect(missing.steps[0]).toMatchObject({ from: 'offsite', snapshot: snapshot.id });
    const damaged = { ...snapshot, marks: [aMark('damaged', now, { artifacts: ['db.db.zst'] })] };
    const corrupt = planFor(
      policy,
      anObservation([ready('nas', anInventory([damaged])), ready('offsite', anInventory([snapshot]))]),
      now,
    );
    expect(outline(corrupt)).toEqual(['replace app@nas replica-corrupt']);
    expect(corrupt.steps[0]?.artifacts).toEqual(['db.db.zst']);
  });

  it('takes what a replacement hashes for verified, also where the damage was marked by a clock ahead', () => {
    const backup = aBackup({ repositories: ['nas', 'offsite'], verify: { everyMs: DAY, deepEveryMs: null } });
    const verified = aMark('verified', '2026-11-20T05:00:00Z', { deep: false });
    const damaged = aMark('damaged', '2026-11-20T06:00:00.400Z', { artifacts: ['db.db'], deep: false });
    const good = aSnapshot('2026-11-20T02:00:00Z', backup, { marks: [verified] });
    const observation = anObservation([
      ready('nas', anInventory([good])),
      ready('offsite', anInventory([{ ...good, marks: [verified, damaged] }])),
    ]);
    expect(outline(planFor(aPolicy([backup]), observation, now))).toEqual(['replace app@offsite replica-corrupt']);
  });

  it('does not copy back what was released', () => {
    const gone = { backup: 'app', id: snapshot.id, marks: [aMark('released', now)] };
    const made = planFor(
      policy,
      anObservation([ready('nas', anInventory([], { gone: [gone] })), ready('offsite', anInventory([snapshot]))]),
      now,
    );
    expect(made.steps).toEqual([]);
  });

  it('goes on without a repository that cannot be read, and says so', () => {
    const made = planFor(
      policy,
      anObservation([
        { name: 'nas', state: 'unavailable', message: 'cannot read nas: refused', hint: null },
        ready('offsite', anInventory([])),
      ]),
      now,
    );
    expect(outline(made)).toEqual(['create app@offsite first-snapshot']);
    expect(made.errors.map((notice) => notice.code)).toEqual(['repository-unavailable']);
  });

  it('withholds what would go into a place that is not the repository it should be', () => {
    const made = planFor(
      policy,
      anObservation([
        ready('nas', anInventory([])),
        { name: 'offsite', state: 'unidentified', canBeMade: true, message: 'm', hint: 'h' },
      ]),
      now,
    );
    expect(outline(made)).toEqual(['create app@nas first-snapshot']);
    expect(outlineWithheld(made)).toEqual(['copy app@offsite identity-missing']);
    expect(made.warnings.map((notice) => notice.code)).toEqual(['identity-missing']);
  });

  it('refuses a folder of another policy', () => {
    const made = planFor(
      aPolicy([aBackup()]),
      anObservation([ready('nas', anInventory([], { foreign: [{ backup: 'app', policy: 'other', count: 3 }] }))]),
      now,
    );
    expect(made.steps).toEqual([]);
    expect(made.errors.map((notice) => notice.code)).toEqual(['foreign-policy']);
  });
});

describe('retention', () => {
  const backup = aBackup({ retention: keep({ keepLast: 2 }) });
  const policy = aPolicy([backup]);
  const days = (...list: number[]) => list.map((day) => aSnapshot(`2026-11-${day}T02:00:00Z`, backup));

  it('prunes what no rule keeps, after the capture that makes it superfluous', () => {
    const made = planFor(policy, nas(...days(18, 19)), now);
    expect(outline(made)).toEqual(['create app@nas schedule-due', 'prune app@nas retention-exceeded']);
    expect(made.steps[1]).toMatchObject({
      snapshot: '20261118T020000Z-aaaaaaaa',
      destructive: true,
      dependsOn: ['s1'],
    });
  });

  it('never prunes the newest verified snapshot, protected ones, or more than maxPrune', () => {
    const [first, ...rest] = days(16, 17, 18, 19, 20);
    const verified = { ...first!, marks: [aMark('verified', '2026-11-16T03:00:00Z', { deep: false })] };
    const guarded = planFor(policy, nas(verified, ...rest), now);
    expect(outline(guarded)).toEqual(['prune app@nas retention-exceeded', 'prune app@nas retention-exceeded']);
    expect(outlineWithheld(guarded)).toEqual(['prune app@nas last-good']);
    const marked = { ...first!, marks: [aMark('protected', '2026-11-16T03:00:00Z', { reason: 'upgrade' })] };
    expect(planFor(policy, nas(marked, ...rest), now).withheld[0]?.reason).toMatchObject({
      code: 'protected',
      message: 'protected: upgrade',
    });
    const limited = planFor(policy, nas(...days(16, 17, 18, 19, 20)), now, { maxPrune: 2 });
    expect(outline(limited)).toEqual([]);
    expect(new Set(outlineWithheld(limited))).toEqual(new Set(['prune app@nas max-prune']));
  });

  it('ends a removal that was cut short only where a good snapshot stands', () => {
    const [old, fresh] = days(19, 20);
    const leaving = { ...old!, marks: [aMark('released', now, { keys: ['db.db.zst'] })] };
    expect(outline(planFor(policy, nas(leaving, fresh!), now))).toEqual(['prune app@nas partial-upload']);
    expect(outline(planFor(policy, nas(leaving), now))).toEqual([
      'create app@nas first-snapshot',
      'prune app@nas partial-upload',
    ]);
    const pruneOnly = planFor(policy, nas(leaving), now, { only: ['prune'] });
    expect(outline(pruneOnly)).toEqual([]);
    expect(outlineWithheld(pruneOnly)).toContain('prune app@nas last-good');
  });

  it('holds a prune back while the newer snapshot has not been copied there', () => {
    const both = aBackup({ retention: keep({ keepLast: 1 }), repositories: ['nas', 'offsite'] });
    const [old, fresh] = days(19, 20);
    const observation = anObservation([
      ready('nas', anInventory([old!, fresh!])),
      ready('offsite', anInventory([old!])),
    ]);
    const all = planFor(aPolicy([both]), observation, now);
    expect(outline(all)).toEqual([
      'copy app@offsite replica-missing',
      'prune app@nas retention-exceeded',
      'prune app@offsite retention-exceeded',
    ]);
    expect(all.steps[2]?.dependsOn).toEqual(['s1']);
    const pruneOnly = planFor(aPolicy([both]), observation, now, { only: ['prune'] });
    expect(outline(pruneOnly)).toEqual(['prune app@nas retention-exceeded']);
    expect(outlineWithheld(pruneOnly)).toContain('prune app@offsite last-good');
  });

  it('lets a copy from later than now take no place of what was captured before', () => {
    const backup = aBackup({ repositories: ['nas', 'offsite'], schedule: null, retention: keep({ weekly: 1 }) });
    const captured = aSnapshot('2026-11-20T05:59:00Z', backup);
    const adopted = aSnapshot('2026-11-20T06:00:00Z', backup, { kind: 'adopted', tick: null });
    const ahead = aSnapshot('2026-11-20T06:01:00Z', backup, { definitionSha256: 'f'.repeat(64) });
    const made = planFor(
      aPolicy([backup]),
      anObservation([ready('nas', anInventory([ahead])), ready('offsite', anInventory([captured, adopted]))]),
      now,
    );
    expect(outline(made)).toEqual(['copy app@nas replica-missing', 'copy app@offsite replica-missing']);
    expect(outlineWithheld(made)).toEqual(['prune app@offsite last-good']);
  });

  it('lets partial and safety snapshots go in their time', () => {
    const partial = aSnapshot('2026-11-18T02:00:00Z', backup, { status: 'partial' });
    const safety = aSnapshot(new Date(Date.parse(now) - 8 * DAY), backup, { kind: 'safety', tick: null });
    const made = planFor(policy, nas(partial, safety, ...days(20)), now);
    expect(outline(made)).toEqual(['prune app@nas expired', 'prune app@nas superseded']);
    const alone = planFor(policy, nas(partial), '2026-11-18T03:00:00Z');
    expect(alone.steps.filter((step) => step.action === 'prune').map((step) => step.dependsOn)).toEqual([['s1']]);
  });

  it('leaves removed backups alone until asked, and then keeps the last good one', () => {
    const other = aBackup({ name: 'old' });
    const snapshots = [
      aSnapshot('2026-11-01T02:00:00Z', other),
      aSnapshot('2026-11-02T02:00:00Z', other, { protect: true }),
      aSnapshot('2026-11-03T02:00:00Z', other),
    ];
    const observation = nas(...snapshots, ...days(20));
    expect(outlineWithheld(planFor(policy, observation, now))).toEqual(['prune old@nas backup-removed']);
    const asked = planFor(policy, observation, now, { pruneRemoved: true });
    expect(asked.steps.map((step) => step.snapshot)).toEqual(['20261101T020000Z-aaaaaaaa']);
    expect(outlineWithheld(asked)).toEqual(['prune old@nas protected', 'prune old@nas last-good']);
  });
});

describe('verification', () => {
  const backup = aBackup({ verify: { everyMs: 7 * DAY, deepEveryMs: 30 * DAY } });
  const policy = aPolicy([backup]);

  it('verifies a new snapshot once it is stored, and kept ones when their time is over', () => {
    expect(outline(planFor(policy, nas(), now))).toEqual([
      'create app@nas first-snapshot',
      'verify app@nas verify-due',
    ]);
    const at = (age: number) => new Date(Date.parse(now) - age);
    const snapshot = (marks: ReturnType<typeof aMark>[]) => aSnapshot('2026-11-20T02:00:00Z', backup, { marks });
    expect(outline(planFor(policy, nas(snapshot([aMark('verified', at(HOUR), { deep: false })])), now))).toEqual([]);
    const old = aSnapshot(at(40 * DAY), backup, { marks: [aMark('verified', at(8 * DAY), { deep: true })] });
    const made = planFor(policy, nas(old, snapshot([aMark('verified', at(HOUR), { deep: false })])), now);
    expect(made.steps.map((step) => [step.action, step.snapshot, step.reason.data['deep']])).toEqual([
      ['verify', old.id, false],
    ]);
  });
});

describe('what is left over', () => {
  const backup = aBackup();
  const snapshot = aSnapshot('2026-11-20T02:00:00Z', backup);
  const remains = {
    backup: 'app',
    id: '20261119T020000Z-bbbbbbbb',
    kind: 'begun',
    policy: 'acme',
    keys: ['k'],
    inProgress: false,
  } as const;

  it('cleans what a killed capture left, never what is in progress or unknown', () => {
    const observe = (left: object) =>
      anObservation([ready('nas', anInventory([snapshot], { remains: [{ ...remains, ...left }] }))]);
    expect(outline(planFor(aPolicy([backup]), observe({}), now))).toEqual(['clean app@nas partial-upload']);
    expect(outline(planFor(aPolicy([backup]), observe({ inProgress: true }), now))).toEqual([]);
    const unknown = planFor(aPolicy([backup]), observe({ kind: 'unknown', policy: null, keys: [] }), now);
    expect(outline(unknown)).toEqual([]);
    expect(unknown.warnings.map((notice) => notice.code)).toEqual(['drift']);
  });

  it('reports a recorded snapshot that is gone, unless it was released', () => {
    const run = aRun({
      outcome: 'done',
      steps: [
        {
          action: 'create',
          address: 'app@nas',
          reason: 'x',
          outcome: 'done',
          snapshot: '20261118T020000Z-cccccccc',
          error: null,
        },
      ],
    });
    const observe = (parts: object) =>
      anObservation([ready('nas', anInventory([snapshot], { runs: [run], ...parts }))]);
    expect(planFor(aPolicy([backup]), observe({}), now).warnings.map((notice) => notice.code)).toEqual(['drift']);
    const gone = [{ backup: 'app', id: '20261118T020000Z-cccccccc', marks: [aMark('released', now)] }];
    expect(planFor(aPolicy([backup]), observe({ gone }), now).warnings).toEqual([]);
  });

  it('removes an old state when its time is over', () => {
    const place = { reference: '/data/app.db.bkp-old-1', target: 'db', into: {} };
    const record = { type: 'sqlite', ...place, host: 'h', until: '2026-11-20T05:00:00Z' };
    const made = planFor(
      aPolicy([backup]),
      { ...nas(snapshot), setAside: [{ repository: 'nas', backup: 'app', record }] },
      now,
    );
    expect(outline(made)).toEqual(['clean app@nas expired']);
    expect(made.steps[0]?.destructive).toBe(true);
  });
});

describe('restores', () => {
  const backup = aBackup();
  const snapshot = aSnapshot('2026-11-20T02:00:00Z', backup);
  const restore = {
    name: 'staging',
    backup: 'app',
    selector: '2026-11-20',
    repeat: false,
    targets: { db: { into: { path: '/s.db' }, mode: 'replace' as const } },
    keepOldMs: DAY,
    source: { file: 'bkp.yaml', line: 9, column: 3 },
  };
  const policy = aPolicy([backup], { restores: [restore] });

  it('is planned once per snapshot and destination', () => {
    const made = planFor(
      policy,
      {
        ...nas(snapshot),
        destinations: {
          staging: { db: { state: 'occupied', description: '3 tables', problems: [], needsSafety: false } },
        },
      },
      now,
    );
    expect(outline(made)).toEqual(['restore app@nas requested']);
    expect(made.steps[0]).toMatchObject({ destructive: true, snapshot: snapshot.id, mode: 'replace' });
    const digest = made.steps[0]!;
    expect(digest.destination?.targets['db']?.found).toBe('3 tables');
  });

  it('stays done although its snapshot is gone', async () => {
    const { destinationDigest } = await import('../../src/reconcile/plan-restores.ts');
    const mark = aMark('restored', now, { restore: 'staging', destination: destinationDigest(restore.targets) });
    const done = planFor(policy, nas({ ...snapshot, marks: [mark] }), now);
    expect(done.keep.map((kept) => kept.reason.code)).toContain('done');
    const gone = anObservation([
      ready(
        'nas',
        anInventory([aSnapshot('2026-11-20T02:10:00Z', backup, { kind: 'backup' })], {
          gone: [{ backup: 'app', id: snapshot.id, marks: [mark] }],
        }),
      ),
    ]);
    const other = aPolicy([backup], { restores: [{ ...restore, selector: snapshot.id }] });
    expect(outline(planFor(other, gone, now))).toEqual([]);
  });

  it('waits while a repository that may know it is done cannot be read', () => {
    const two = aBackup({ repositories: ['nas', 'offsite'] });
    const made = planFor(
      aPolicy([two], { restores: [restore] }),
      anObservation([
        ready('nas', anInventory([aSnapshot('2026-11-20T02:00:00Z', two)])),
        { name: 'offsite', state: 'unavailable', message: 'm', hint: null },
      ]),
      now,
    );
    expect(outline(made)).toEqual([]);
    expect(outlineWithheld(made)).toEqual(['restore app@nas repository-unavailable']);
  });
});

describe('the plan as a whole', () => {
  it('gives the same bytes for the same input and numbers that equal its steps', () => {
    const backup = aBackup({ retention: keep({ keepLast: 1 }), repositories: ['nas', 'offsite'] });
    const observation = anObservation([
      ready('nas', anInventory([aSnapshot('2026-11-18T02:00:00Z', backup)])),
      ready('offsite', anInventory([])),
    ]);
    const [a, b] = [planFor(aPolicy([backup]), observation, now), planFor(aPolicy([backup]), observation, now)];
    expect(JSON.stringify(a)).toBe(JSON.stringify(b));
    expect(a.summary.create + a.summary.copy + a.summary.prune).toBe(a.steps.length);
  });

  it('shows only the wanted backups and actions, and says that it is filtered', () => {
    const [one, two] = [aBackup(), aBackup({ name: 'web', targets: [aTarget('web')] })];
    expect(outline(planFor(aPolicy([one, two]), nas(), now, { backups: ['web'] }))).toEqual([
      'create web@nas first-snapshot',
    ]);
    const only = planFor(aPolicy([one, two]), nas(), now, { only: ['prune'] });
    expect(only.steps).toEqual([]);
    expect(outlineWithheld(only)).toEqual(['create app@nas filtered', 'create web@nas filtered']);
    expect(only.filters).toEqual({ only: ['prune'] });
  });
});
