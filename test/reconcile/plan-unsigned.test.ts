import { describe, expect, test } from 'vitest';
import { selectSnapshot } from '../../src/reconcile/select-snapshot.ts';
import { statusOf } from '../../src/reconcile/status.ts';
import type { SnapshotRecord } from '../../src/snapshots/inventory.ts';
import {
  aBackup,
  aMark,
  anInventory,
  anObservation,
  aPolicy,
  aSnapshot,
  DAY,
  keep,
  outline,
  outlineWithheld,
  planFor,
  ready,
} from './builders.ts';

const NOW = '2026-11-19T03:00:00Z';
const TICK = '2026-11-19T02:00:00Z';
const unsigned = 'it has no signature';
const backup = aBackup({
  repositories: ['a', 'b'],
  retention: keep({ keepLast: 1 }),
  verify: { everyMs: DAY, deepEveryMs: null },
});
const good = aSnapshot(TICK, backup, { marks: [aMark('verified', TICK)] });
const strange = (at: string, parts: Partial<SnapshotRecord> = {}): SnapshotRecord =>
  aSnapshot(at, backup, { unsigned, ...parts });
const planOf = (a: readonly SnapshotRecord[], b: readonly SnapshotRecord[] = []): ReturnType<typeof planFor> =>
  planFor(aPolicy([backup]), anObservation([ready('a', anInventory(a)), ready('b', anInventory(b))]), NOW);

describe('a snapshot without the signature that the policy asks for', () => {
  test('satisfies no tick, is not copied and not verified', () => {
    const made = planOf([strange(TICK)]);
    expect(outline(made)).toEqual([
      'create app@a first-snapshot',
      'copy app@b replica-missing',
      'verify app@a verify-due',
      'verify app@b verify-due',
    ]);
    expect(outlineWithheld(made)).toEqual(['prune app@a unsigned']);
  });

  test('is never pruned, whatever its kind and age, and says why', () => {
    const old = [
      strange('2020-01-01T00:00:00Z'),
      strange('2020-01-02T00:00:00Z', { kind: 'safety' }),
      strange('2020-01-03T00:00:00Z', { status: 'partial' }),
      strange('2020-01-04T00:00:00Z', { marks: [aMark('damaged', TICK, { artifacts: [], deep: false })] }),
      strange('2020-01-05T00:00:00Z', { marks: [aMark('released', TICK, { keys: ['db.db'] })] }),
    ];
    const made = planOf([...old, good], [good]);
    expect(outline(made)).toEqual([]);
    expect(outlineWithheld(made)).toEqual(old.map(() => 'prune app@a unsigned'));
    expect(made.withheld[0]?.reason.message).toContain(unsigned);
  });

  test('makes nothing prunable: neither as the newest good nor as a verified one', () => {
    const later = strange('2026-11-19T02:30:00Z', { marks: [aMark('verified', TICK)] });
    const made = planOf([good, later], [good]);
    expect(outline(made)).toEqual([]);
    expect(made.keep.map(({ snapshot }) => snapshot)).toContain(good.id);
  });

  test('is not replaced where a good one has its name', () => {
    const made = planOf([good], [{ ...strange(TICK), folderPresent: false }]);
    expect(outline(made)).toEqual([]);
    expect(outlineWithheld(made)).toEqual(['prune app@b unsigned']);
  });

  test('is not counted as damaged', () => {
    expect(planOf([strange(TICK)]).steps[0]?.reason.code).toBe('first-snapshot');
  });

  test('is left alone when its backup leaves the policy, also with --prune-removed', () => {
    const other = aBackup({ name: 'other', repositories: ['a', 'b'], schedule: null });
    const observation = anObservation([
      ready('a', anInventory([aSnapshot('2026-11-18T02:00:00Z', backup), strange('2026-11-17T02:00:00Z'), good])),
      ready('b', anInventory([])),
    ]);
    const made = planFor(aPolicy([other]), observation, NOW, { pruneRemoved: true });
    expect(outline(made).filter((line) => line.startsWith('prune'))).toEqual(['prune app@a backup-removed']);
    expect(outlineWithheld(made)).toEqual(expect.arrayContaining(['prune app@a unsigned', 'prune app@a last-good']));
  });

  test('is named by its id only', () => {
    const later = strange('2026-11-19T02:30:00Z');
    const all = [good, later, strange('2026-11-19T02:40:00Z', { kind: 'safety' })];
    expect(selectSnapshot(all, 'latest', 'UTC')).toEqual({ snapshot: good });
    expect(selectSnapshot(all, '2026-11-19', 'UTC')).toEqual({ snapshot: good });
    expect(selectSnapshot(all, 'safety', 'UTC')).toEqual({ problem: 'there is no safety snapshot' });
    expect(selectSnapshot(all, later.id, 'UTC')).toEqual({ snapshot: later });
  });

  test('holds a restore of the policy back', () => {
    const selector = strange(TICK).id;
    const source = { file: 'bkp.yaml', line: 1, column: 1 };
    const restore = { name: 'staging', backup: 'app', selector, repeat: false, targets: {}, keepOldMs: DAY, source };
    const observation = anObservation([ready('a', anInventory([strange(TICK)])), ready('b', anInventory([]))]);
    const made = planFor(aPolicy([backup], { restores: [restore] }), observation, NOW);
    expect(outlineWithheld(made)).toContain('restore app@a unsigned');
    expect(made.steps.some(({ action }) => action === 'restore')).toBe(false);
  });

  test('is no good snapshot in the status, and drift only where its signature is wrong', () => {
    const statusWith = (record: SnapshotRecord): ReturnType<typeof statusOf> =>
      statusOf(
        aPolicy([backup]),
        anObservation([ready('a', anInventory([record])), ready('b', anInventory([]))]),
        new Date(NOW),
      );
    expect(statusWith(strange(TICK))).toMatchObject({ healthy: false, backups: [{ state: 'missing' }], warnings: [] });
    expect(statusWith(strange(TICK, { signedBy: null })).warnings).toMatchObject([{ code: 'drift', address: 'app@a' }]);
  });
});

test('marks that do not count are told once for each backup and repository', () => {
  const ignoredMarks = [
    { backup: 'app', id: good.id, kind: 'released' as const },
    { backup: 'app', id: good.id, kind: 'verified' as const },
    { backup: 'app', id: 'other', kind: 'verified' as const },
  ];
  const observation = anObservation([
    ready('a', anInventory([good], { ignoredMarks })),
    ready('b', anInventory([good])),
  ]);
  const { warnings } = planFor(aPolicy([backup]), observation, NOW);
  expect(warnings).toMatchObject([{ code: 'unsigned', address: 'app@a' }]);
  expect(warnings[0]?.message).toContain('3 marks of app@a');
  expect(warnings[0]?.message).toContain('(1 released, 2 verified)');
});
