import { describe, expect, it } from 'vitest';
import { statusOf } from '../../src/reconcile/status.ts';
import {
  aBackup,
  aPolicy,
  aMark,
  anInventory,
  anObservation,
  aSnapshot,
  keep,
  outline,
  outlineWithheld,
  planFor,
  ready,
} from './builders.ts';

const now = '2026-11-20T03:00:00Z';
const backup = aBackup({ retention: keep({ keepLast: 1 }) });
const policy = aPolicy([backup]);
const until = '2026-11-25T02:00:00.000Z';
const [old, fresh] = ['2026-11-19T02:00:00Z', '2026-11-20T02:00:00Z'].map((at) => aSnapshot(at, backup));
if (old === undefined || fresh === undefined) throw new Error('two snapshots');
const nas = (...parts: Parameters<typeof anInventory>): ReturnType<typeof anObservation> =>
  anObservation([ready('nas', anInventory(...parts))]);
const locked = { ...old, lockedUntil: until };

describe('what the store has locked', () => {
  it('is not pruned before its time, and then it is', () => {
    const before = planFor(policy, nas([locked, fresh]), now);
    expect(outline(before)).toEqual([]);
    expect(before.withheld).toMatchObject([
      {
        action: 'prune',
        address: 'app@nas',
        snapshot: old.id,
        reason: { code: 'locked-until', message: 'nas keeps it until 2026-11-25T02:00Z', data: { until } },
      },
    ]);
    const after = planFor(policy, nas([locked, { ...fresh, tick: until }]), until, { only: ['prune'] });
    expect(outline(after)).toEqual(['prune app@nas retention-exceeded']);
  });

  it('says first what a person decided, and locks also what leaves', () => {
    const guarded = { ...locked, marks: [aMark('protected', now, { reason: 'upgrade' })] };
    expect(outlineWithheld(planFor(policy, nas([guarded, fresh]), now))).toEqual(['prune app@nas protected']);
    const leaving = { ...locked, marks: [aMark('released', now, { keys: ['db.db.zst'] })] };
    expect(outlineWithheld(planFor(policy, nas([leaving, fresh]), now))).toEqual(['prune app@nas locked-until']);
    const safety = { ...aSnapshot('2026-11-01T02:00:00Z', backup, { kind: 'safety', tick: null }), lockedUntil: until };
    expect(outlineWithheld(planFor(policy, nas([safety, fresh]), now))).toEqual(['prune app@nas locked-until']);
  });

  it('stays also when its backup left the policy', () => {
    const other = aBackup({ name: 'old' });
    const snapshots = ['2026-11-01T02:00:00Z', '2026-11-02T02:00:00Z'].map((at) =>
      aSnapshot(at, other, { lockedUntil: until }),
    );
    const asked = planFor(policy, nas([...snapshots, fresh]), now, { pruneRemoved: true });
    expect(outlineWithheld(asked)).toEqual(['prune old@nas locked-until', 'prune old@nas last-good']);
  });

  it('does not count against maxPrune', () => {
    const many = Array.from({ length: 5 }, (_, day) => aSnapshot(`2026-11-0${day + 1}T02:00:00Z`, backup));
    const observation = nas([...many.map((one, index) => (index < 3 ? { ...one, lockedUntil: until } : one)), fresh]);
    const made = planFor(policy, observation, now, { maxPrune: 2 });
    expect(outline(made)).toHaveLength(2);
    expect(outlineWithheld(made)).toEqual(Array.from({ length: 3 }, () => 'prune app@nas locked-until'));
  });

  it.each([
    [until, 'nas keeps it until 2026-11-25T02:00Z'],
    [null, 'a legal hold in nas keeps it'],
  ])('is not cleaned: %s', (lockedUntil, message) => {
    const remains = {
      backup: 'app',
      id: '20261118T020000Z-bbbbbbbb',
      kind: 'begun' as const,
      policy: 'acme',
      keys: [],
      inProgress: false,
    };
    const observe = (parts: object): ReturnType<typeof nas> => nas([fresh], { remains: [{ ...remains, ...parts }] });
    const made = planFor(policy, observe({ lockedUntil }), now);
    expect(outline(made)).toEqual([]);
    expect(made.withheld).toMatchObject([
      { action: 'clean', snapshot: remains.id, reason: { code: 'locked-until', message } },
    ]);
    expect(outline(planFor(policy, observe({ lockedUntil: '2026-11-20T02:59:59.000Z' }), now))).toEqual([
      'clean app@nas partial-upload',
    ]);
  });
});

describe('a manifest that somebody changed where the store keeps versions', () => {
  it('is drift when it was removed, and nothing is copied in its place', () => {
    const both = aBackup({ retention: keep({ keepLast: 2 }), repositories: ['nas', 'off'] });
    const observe = (parts: Parameters<typeof anInventory>[1]): ReturnType<typeof nas> =>
      anObservation([ready('nas', anInventory([old, fresh])), ready('off', anInventory([fresh], parts))]);
    expect(outline(planFor(aPolicy([both]), observe({}), now))).toEqual(['copy app@off replica-missing']);
    const tampered = [{ backup: 'app', id: old.id, how: 'removed' as const }];
    const made = planFor(aPolicy([both]), observe({ tampered }), now);
    expect(outline(made)).toEqual([]);
    expect(made.warnings).toMatchObject([
      { code: 'drift', address: 'app@off', hint: expect.stringContaining('bkp list --deleted') },
    ]);
    expect(statusOf(aPolicy([both]), observe({ tampered }), new Date(now)).healthy).toBe(false);
    const digest = (one: typeof made): unknown => one.repositories[1]?.inventorySha256;
    const prune = { only: ['prune' as const] };
    const pruning = aPolicy([aBackup({ retention: keep({ keepLast: 1 }), repositories: ['nas', 'off'] })]);
    expect(digest(planFor(pruning, observe({ tampered }), now, prune))).not.toBe(
      digest(planFor(pruning, observe({}), now, prune)),
    );
  });

  it('is drift when it was written again, and its first version goes on counting', () => {
    const tampered = [{ backup: 'app', id: fresh.id, how: 'overwritten' as const }];
    const made = planFor(policy, nas([fresh], { tampered }), now);
    expect(outline(made)).toEqual([]);
    expect(made.keep.map(({ snapshot }) => snapshot)).toContain(fresh.id);
    expect(made.warnings).toMatchObject([{ code: 'drift', message: expect.stringContaining('written again') }]);
  });
});
