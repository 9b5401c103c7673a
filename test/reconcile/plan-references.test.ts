import { describe, expect, test } from 'vitest';
import type { Observation, ObservedReferences } from '../../src/reconcile/observation.ts';
import { statusOf } from '../../src/reconcile/status.ts';
import type { HeldLease, RepositoryInventory } from '../../src/snapshots/inventory.ts';
import { aBackup, anInventory, anObservation, aPolicy, aSnapshot, keep, outline, planFor, ready } from './builders.ts';

const NOW = '2026-11-19T03:00:00Z';
const TICK = '2026-11-19T02:00:00Z';
const backup = aBackup({ repositories: ['a'], retention: keep({ keepLast: 1 }) });
const policy = aPolicy([backup]);
const reference = { store: 'c/r', name: 'bkp-1', id: 'u1' };
const taken = aSnapshot(TICK, backup, { references: [{ target: 'db', ...reference }] });
const origin = { policy: 'acme', backup: 'app', snapshot: taken.id, target: 'db', run: 'run-1' };
const asked = (...found: Extract<ObservedReferences, { state: 'asked' }>['found']): ObservedReferences => ({
  target: 'db',
  state: 'asked',
  store: 'c/r',
  found,
});
const orphan = { ...reference, name: 'bkp-2', id: 'u2', origin: { ...origin, snapshot: '20261101T000000Z-bbbbbbbb' } };
const gone = [
  {
    backup: 'app',
    id: orphan.origin.snapshot,
    marks: [{ kind: 'released' as const, at: '2026-11-02T00:00:00Z', data: { reason: 'retention-exceeded' } }],
  },
];
const inventoryWith = (changes: Partial<RepositoryInventory> = {}): RepositoryInventory =>
  anInventory([taken], { gone, ...changes });
const seen = (references: readonly ObservedReferences[], changes: Partial<RepositoryInventory> = {}): Observation =>
  anObservation([ready('a', inventoryWith(changes))], { references });
const cleans = (observation: Observation): readonly string[] =>
  outline(planFor(policy, observation, NOW)).filter((line) => line.startsWith('clean'));

describe('what stays with a server', () => {
  test('is as it should be where it is there', () => {
    const observation = seen([asked({ ...reference, origin })]);
    expect(planFor(policy, observation, NOW).warnings).toEqual([]);
    expect(cleans(observation)).toEqual([]);
  });

  test('is drift where it is gone, or another has its name', () => {
    for (const found of [[], [{ ...reference, id: 'other', origin }]]) {
      const observation = seen([asked(...found)]);
      expect(planFor(policy, observation, NOW).warnings).toMatchObject([{ code: 'drift', address: 'app@a' }]);
      expect(statusOf(policy, observation, new Date(NOW)).healthy).toBe(false);
    }
  });

  test('is not looked for in another place, and a silent server is a notice', () => {
    expect(planFor(policy, seen([{ ...asked(), store: 'c/other' } as ObservedReferences]), NOW).warnings).toEqual([]);
    const silent = seen([{ target: 'db', state: 'silent', message: 'no answer' }]);
    expect(planFor(policy, silent, NOW).warnings).toMatchObject([{ code: 'notice' }]);
    expect(statusOf(policy, silent, new Date(NOW)).healthy).toBe(true);
  });

  test('is drift and left alone where no manifest names it, and nobody released it', () => {
    const observation = seen([asked({ ...reference, origin }, orphan)], { gone: [] });
    expect(cleans(observation)).toEqual([]);
    expect(planFor(policy, observation, NOW).warnings).toMatchObject([
      { code: 'drift', address: 'app@a', message: expect.stringContaining('bkp-2; it is left alone') as unknown },
    ]);
  });

  test('is cleaned with what a capture that was cut short left', () => {
    const { backup: name, snapshot: id } = orphan.origin;
    const remains = { backup: name, id, kind: 'begun' as const, policy: 'acme', keys: [], inProgress: false };
    const changes = { gone: [], remains: [remains] };
    expect(cleans(seen([asked({ ...reference, origin }, orphan)], changes))).toEqual([
      'clean app@a partial-upload',
      'clean app@a partial-upload',
    ]);
    const busy = seen([asked({ ...reference, origin }, orphan)], {
      ...changes,
      remains: [{ ...remains, inProgress: true }],
    });
    expect(cleans(busy)).toEqual([]);
    expect(planFor(policy, busy, NOW).warnings).toEqual([]);
  });

  test('is cleaned where it was released and nothing names it, once', () => {
    const again: ObservedReferences = { ...asked(orphan), target: 'other' };
    expect(cleans(seen([asked({ ...reference, origin }, orphan), again]))).toEqual(['clean app@a partial-upload']);
  });

  test('is left alone where it belongs to another policy', () => {
    expect(cleans(seen([asked({ ...orphan, origin: { ...orphan.origin, policy: 'other' } })]))).toEqual([]);
  });

  test('is left alone while a repository cannot be read', () => {
    const { repositories } = seen([]);
    const broken = { name: 'b', state: 'unavailable', message: 'no', hint: null } as const;
    expect(cleans(anObservation([...repositories, broken], { references: [asked(orphan)] }))).toEqual([]);
  });

  test('is left alone while the run that made it lives', () => {
    const lease = { backup: 'app', number: 1, owner: { run: 'run-1' } } as unknown as HeldLease;
    const inventory = inventoryWith({ leases: [lease] });
    expect(cleans(anObservation([ready('a', inventory)], { references: [asked(orphan)] }))).toEqual([]);
  });

  test('is left alone while its manifest is there and cannot be used', () => {
    const unreadable = [{ backup: 'app', id: orphan.origin.snapshot, reason: 'unreadable' as const, message: 'no' }];
    const inventory = inventoryWith({ unreadable });
    expect(cleans(anObservation([ready('a', inventory)], { references: [asked(orphan)] }))).toEqual([]);
  });
});
