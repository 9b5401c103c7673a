import { expect, test } from 'vitest';
import { rerouteCapture } from '../../src/reconcile/reroute-capture.ts';
import type { Step } from '../../src/reconcile/step.ts';
import { aBackup, anInventory, anObservation, aPolicy, DAY, planFor, ready } from './builders.ts';

const REPOSITORIES = ['nas', 'off', 'far'];
const backup = aBackup({ repositories: REPOSITORIES, verify: { everyMs: DAY, deepEveryMs: null } });

/** A first capture, its copies and their verifications. */
const empty = REPOSITORIES.map((name) => ready(name, anInventory([], { repositoryId: name })));
const planned = planFor(aPolicy([backup]), anObservation(empty), '2026-11-21T03:00:00Z').steps;

const outlineOf = (steps: readonly Step[]): readonly string[] => {
  const names = new Map(steps.map(({ id, action, repository }) => [id, `${action} ${repository}`]));
  return steps.map(({ action, address, from, snapshotFrom, dependsOn }) =>
    [
      `${action} ${address}`,
      ...(from === null ? [] : [`from ${from}`]),
      ...(snapshotFrom === null ? [] : [`of ${names.get(snapshotFrom)}`]),
      ...dependsOn.map((id) => `after ${names.get(id)}`),
    ].join(', '),
  );
};

test('a capture that cannot go where it was planned goes to the first that was to get a copy', () => {
  expect(outlineOf(rerouteCapture(planned, new Set(['nas'])))).toEqual([
    'create app@off',
    'copy app@nas, from off, of create off, after create off',
    'copy app@far, from off, of create off, after create off',
    'verify app@nas, of create off, after copy nas',
    'verify app@off, of create off, after create off',
    'verify app@far, of create off, after copy far',
  ]);
});

test('the second that cannot be written to is passed over', () => {
  const rerouted = outlineOf(rerouteCapture(planned, new Set(['nas', 'off'])));
  expect(rerouted.slice(0, 3)).toEqual([
    'create app@far',
    'copy app@off, from far, of create far, after create far',
    'copy app@nas, from far, of create far, after create far',
  ]);
});

test.each([
  ['nothing is wrong', []],
  ['only a copy is', ['off']],
  ['nothing can be written to', REPOSITORIES],
])('where %s the steps stay as they are', (_, unwritable) => {
  expect(rerouteCapture(planned, new Set(unwritable))).toBe(planned);
});

test('a safety snapshot stays where its restore looks for it', () => {
  const safety = planned.map((step): Step => (step.action === 'create' ? { ...step, kind: 'safety' } : step));
  expect(rerouteCapture(safety, new Set(['nas']))).toBe(safety);
});
