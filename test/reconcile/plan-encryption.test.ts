import { describe, expect, test } from 'vitest';
import type { Observation } from '../../src/reconcile/observation.ts';
import type { Plan } from '../../src/reconcile/step.ts';
import {
  aBackup,
  aMark,
  anInventory,
  anObservation,
  aPolicy,
  aSnapshot,
  DAY,
  outlineWithheld,
  planFor,
  ready,
} from './builders.ts';

const MINE = 'age1mine';
const THEIRS = 'age1theirs';
const NOW = '2026-11-19T03:00:00Z';
const TICK = '2026-11-19T02:00:00Z';
const backup = aBackup({ repositories: ['a', 'b', 'c'] });

interface World {
  /** Recipients of the snapshot in each repository that has it; empty for a plain one. */
  readonly stored: Readonly<Record<string, readonly string[]>>;
  readonly wanted: Readonly<Record<string, readonly string[]>>;
  readonly damaged?: string;
  readonly identities?: NonNullable<Observation['identities']>;
}

function planOf({ stored, wanted, damaged, identities }: World, of = backup): Plan {
  const repositories = of.repositories.map((name) => {
    const recipients = stored[name];
    if (recipients === undefined) return ready(name, anInventory([]));
    const marks = damaged === name ? [aMark('damaged', TICK, { artifacts: ['db.db'], deep: false })] : [];
    const readers = recipients.length === 0 ? {} : { recipients };
    return ready(name, anInventory([aSnapshot(TICK, of, { marks, ...readers })]));
  });
  const known = { encryption: { [of.name]: wanted }, ...(identities === undefined ? {} : { identities }) };
  return planFor(aPolicy([of]), anObservation(repositories, known), NOW);
}

const sources = ({ steps }: Plan): readonly string[] =>
  steps.map(({ action, repository, from }) => `${action} ${from ?? ''}>${repository}`);
const mine = { recipients: [MINE], hasOthers: false };

describe('where a copy comes from', () => {
  const wanted = { a: [MINE], b: [], c: [THEIRS] };

  test('the bytes that can be taken as they are come first', () => {
    const made = planOf({ stored: { a: [MINE], b: [THEIRS] }, wanted });
    expect(sources(made)).toEqual(['copy b>c']);
    expect(outlineWithheld(made)).toEqual([]);
  });

  test('then those that nobody must decrypt', () => {
    expect(sources(planOf({ stored: { a: [MINE], b: [] }, wanted, identities: mine }))).toEqual(['copy b>c']);
  });

  test('then those that an identity opens; without one the copy is withheld', () => {
    const stored = { a: [MINE] };
    expect(sources(planOf({ stored, wanted, identities: mine }))).toEqual(['copy a>b', 'copy a>c']);
    const waiting = ['copy app@b identity-missing', 'copy app@c identity-missing'];
    expect(outlineWithheld(planOf({ stored, wanted }))).toEqual(waiting);
    const stranger = { recipients: [THEIRS], hasOthers: false };
    expect(outlineWithheld(planOf({ stored, wanted, identities: stranger }))).toEqual(waiting);
    // Whose public half is not known is tried.
    const unknown = { recipients: [], hasOthers: true };
    expect(sources(planOf({ stored, wanted, identities: unknown }))).toEqual(['copy a>b', 'copy a>c']);
  });

  test('a damaged copy is replaced by the same bytes, else by what can be read', () => {
    const world = { wanted, damaged: 'a', identities: mine };
    expect(sources(planOf({ ...world, stored: { a: [MINE], b: [], c: [MINE] } }))).toEqual(['replace c>a']);
    expect(sources(planOf({ ...world, stored: { a: [THEIRS], b: [], c: [MINE] } }))).toEqual(['replace b>a']);
    expect(sources(planOf({ ...world, stored: { a: [THEIRS], c: [MINE] } }))).toEqual(['copy c>b', 'replace c>a']);
    const made = planOf({ ...world, stored: { a: [MINE], c: [THEIRS] } });
    expect(sources(made)).toEqual([]);
    expect(outlineWithheld(made)).toContain('replace app@a identity-missing');
  });
});

test('what cannot be encrypted is not copied where all is encrypted, and told once', () => {
  const three = aBackup({ repositories: ['a', 'b', 'c'] });
  const days = ['2026-11-17T02:00:00Z', '2026-11-18T02:00:00Z', TICK];
  const planWith = (wanted: Readonly<Record<string, readonly string[]>>): Plan => {
    const mirrors = days.map((day) => aSnapshot(day, three, { listsFiles: true }));
    const repositories = [ready('a', anInventory(mirrors)), ready('b', anInventory([])), ready('c', anInventory([]))];
    return planFor(aPolicy([three]), anObservation(repositories, { encryption: { app: wanted } }), NOW);
  };
  const made = planWith({ a: [], b: [MINE], c: [] });
  expect(sources(made)).toEqual(['copy a>c', 'copy a>c', 'copy a>c']);
  expect(outlineWithheld(made)).toEqual(days.map(() => 'copy app@b unencryptable'));
  expect(made.warnings.map(({ code, message }) => [code, message])).toEqual([
    ['unencryptable', '3 snapshots with mirrored files cannot be copied to app@b, which is encrypted'],
  ]);
  expect(outlineWithheld(planWith({ a: [], b: [], c: [] }))).toEqual([]);
  // Where it is not known yet, the copy tells.
  expect(outlineWithheld(planWith({ a: [], c: [] }))).toEqual([]);
});

test('where the deep check waits, the hashes are checked when they are due', () => {
  const checked = aBackup({ repositories: ['a'], verify: { everyMs: DAY / 48, deepEveryMs: DAY / 48 } });
  const world = { stored: { a: [MINE] }, wanted: { a: [MINE] } };
  const made = planOf(world, checked);
  expect(outlineWithheld(made)).toEqual(['verify app@a identity-missing']);
  expect(made.steps.map(({ action, reason }) => [action, reason.data['deep']])).toEqual([['verify', false]]);
  const opened = planOf({ ...world, identities: mine }, checked);
  expect(opened.withheld).toEqual([]);
  expect(opened.steps.map(({ action, reason }) => [action, reason.data['deep']])).toEqual([['verify', true]]);
});

test('what others can read than the policy says now is told once for each repository', () => {
  const wanted = { a: [MINE], b: [MINE, THEIRS], c: [THEIRS] };
  const { warnings } = planOf({ stored: { a: [], b: [MINE], c: [MINE] }, wanted });
  expect(warnings.map(({ code, address }) => `${code} ${address ?? ''}`)).toEqual([
    'not-encrypted app@a',
    'recipient-left app@c',
  ]);
});
