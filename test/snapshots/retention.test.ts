import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Retention } from '../../src/policy/resolved-policy.ts';
import { applyRetention, type DatedSnapshot } from '../../src/snapshots/retention.ts';

const DAY = 86_400_000;
const NOTHING: Retention = {
  keepLast: null,
  hourly: null,
  daily: null,
  weekly: null,
  monthly: null,
  yearly: null,
  withinMs: null,
};
const rules = (parts: Partial<Retention>): Retention => ({ ...NOTHING, ...parts });
const taken = (...times: readonly string[]): readonly DatedSnapshot[] =>
  times.map((time) => ({ id: time, at: new Date(time) }));
const kept = (
  snapshots: readonly DatedSnapshot[],
  retention: Retention | null,
  zone = 'UTC',
): Record<string, readonly string[]> => Object.fromEntries(applyRetention(snapshots, retention, zone));

const zones = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'America/Santiago');
const counts = fc.option(fc.integer({ min: 1, max: 9 }));
const retentions = fc.record({
  keepLast: counts,
  hourly: counts,
  daily: counts,
  weekly: counts,
  monthly: counts,
  yearly: counts,
  withinMs: fc.option(fc.integer({ min: 60_000, max: 400 * DAY })),
});
const first = Date.UTC(2023, 11, 25);
/** Bunches of snapshots around clock changes, year ends and leap days, in any order: clocks may have run backwards. */
const histories = fc
  .array(
    fc.oneof(
      fc.integer({ min: first, max: first + 900 * DAY }),
      fc.integer({ min: Date.UTC(2024, 1, 28), max: Date.UTC(2024, 2, 2) }),
      fc.integer({ min: Date.UTC(2024, 2, 30, 22), max: Date.UTC(2024, 2, 31, 4) }),
      fc.integer({ min: Date.UTC(2024, 9, 26, 22), max: Date.UTC(2024, 9, 27, 4) }),
    ),
    { minLength: 1, maxLength: 60 },
  )
  .map((times) => times.map((time, index) => ({ id: `s${index}`, at: new Date(time) })));

describe('properties', () => {
  test('something good always stays, the newest among it', () => {
    fc.assert(
      fc.property(histories, retentions, zones, (snapshots, retention, zone) => {
        const result = applyRetention(snapshots, retention, zone);
        const newest = Math.max(...snapshots.map(({ at }) => at.getTime()));
        expect(snapshots.some(({ id, at }) => at.getTime() === newest && result.has(id))).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  test('keeping what is kept changes nothing', () => {
    fc.assert(
      fc.property(histories, retentions, zones, (snapshots, retention, zone) => {
        const once = applyRetention(snapshots, retention, zone);
        const again = applyRetention(
          snapshots.filter(({ id }) => once.has(id)),
          retention,
          zone,
        );
        expect([...again]).toEqual([...once]);
      }),
      { numRuns: 1000 },
    );
  });

  test('what was let go does not come back when time goes on', () => {
    fc.assert(
      fc.property(histories, histories, retentions, zones, (older, newer, retention, zone) => {
        const before = applyRetention(older, retention, zone);
        const end = Math.max(...older.map(({ at }) => at.getTime()));
        const later = newer.map(({ at }, index) => ({
          id: `n${index}`,
          at: new Date(end + 1 + (at.getTime() - first)),
        }));
        const after = applyRetention([...older, ...later], retention, zone);
        for (const { id } of older) if (!before.has(id)) expect(after.has(id)).toBe(false);
      }),
      { numRuns: 1000 },
    );
  });

  test('the order of the list does not matter', () => {
    fc.assert(
      fc.property(histories, retentions, zones, (snapshots, retention, zone) => {
        const result = applyRetention(snapshots, retention, zone);
        expect([...applyRetention(snapshots.toReversed(), retention, zone)]).toEqual([...result]);
      }),
      { numRuns: 300 },
    );
  });

  test('more rules never keep less', () => {
    fc.assert(
      fc.property(histories, retentions, zones, (snapshots, retention, zone) => {
        const more = applyRetention(snapshots, retention, zone);
        for (const rule of ['keepLast', 'hourly', 'daily', 'weekly', 'monthly', 'yearly', 'withinMs'] as const) {
          const fewer = { ...retention, [rule]: null };
          if (Object.values(fewer).every((value) => value === null)) continue;
          for (const id of applyRetention(snapshots, fewer, zone).keys()) expect(more.has(id)).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('a rule keeps one snapshot for each of its periods and no more than it says', () => {
    fc.assert(
      fc.property(
        histories,
        fc.constantFrom('hourly', 'daily', 'weekly', 'monthly', 'yearly'),
        fc.integer({ min: 1, max: 9 }),
        zones,
        (snapshots, rule, count, zone) => {
          const names = [...applyRetention(snapshots, rules({ [rule]: count }), zone).values()].flat();
          expect(new Set(names).size).toBe(names.length);
          expect(names.length).toBeLessThanOrEqual(count);
        },
      ),
      { numRuns: 500 },
    );
  });
});

test('every snapshot has the rules that keep it', () => {
  const snapshots = taken(
    '2026-11-16T02:00:00Z',
    '2026-11-17T02:00:00Z',
    '2026-11-18T02:00:00Z',
    '2026-11-19T02:00:00Z',
    '2026-11-19T14:00:00Z',
  );
  expect(kept(snapshots, rules({ keepLast: 1, daily: 2, weekly: 1, withinMs: DAY }))).toEqual({
    '2026-11-19T14:00:00Z': ['keepLast 1', 'daily 2026-11-19', 'weekly 2026-W47', 'within 1d'],
    '2026-11-19T02:00:00Z': ['within 1d'],
    '2026-11-18T02:00:00Z': ['daily 2026-11-18'],
  });
});

test('days without a good snapshot do not use up the rule', () => {
  const snapshots = taken('2026-01-05T02:00:00Z', '2026-06-01T02:00:00Z', '2026-11-19T02:00:00Z');
  expect(Object.keys(kept(snapshots, rules({ daily: 3 })))).toHaveLength(3);
});

test('periods are those of the time zone', () => {
  const snapshots = taken('2026-11-18T22:30:00Z', '2026-11-18T23:30:00Z');
  expect(Object.keys(kept(snapshots, rules({ daily: 9 }), 'UTC'))).toEqual(['2026-11-18T23:30:00Z']);
  expect(kept(snapshots, rules({ daily: 9 }), 'Europe/Berlin')).toEqual({
    '2026-11-18T23:30:00Z': ['daily 2026-11-19'],
    '2026-11-18T22:30:00Z': ['daily 2026-11-18'],
  });
});

test('the repeated hour is two hours, the skipped one none', () => {
  const autumn = taken('2026-10-25T00:30:00Z', '2026-10-25T01:30:00Z');
  expect(kept(autumn, rules({ hourly: 9 }), 'Europe/Berlin')).toEqual({
    '2026-10-25T01:30:00Z': ['hourly 2026-10-25T02+01:00'],
    '2026-10-25T00:30:00Z': ['hourly 2026-10-25T02+02:00'],
  });
  const spring = taken('2026-03-29T00:30:00Z', '2026-03-29T01:30:00Z');
  expect(Object.values(kept(spring, rules({ hourly: 9 }), 'Europe/Berlin')).flat()).toEqual([
    'hourly 2026-03-29T03+02:00',
    'hourly 2026-03-29T01+01:00',
  ]);
});

test('ISO weeks belong to the year of their Thursday', () => {
  const snapshots = taken(
    '2026-12-31T12:00:00Z',
    '2027-01-03T12:00:00Z',
    '2027-01-04T12:00:00Z',
    '2024-12-30T12:00:00Z',
  );
  expect(kept(snapshots, rules({ weekly: 9 }))).toEqual({
    '2027-01-04T12:00:00Z': ['weekly 2027-W01'],
    '2027-01-03T12:00:00Z': ['weekly 2026-W53'],
    '2024-12-30T12:00:00Z': ['weekly 2025-W01'],
  });
});

test('a leap day is a day', () => {
  const snapshots = taken('2028-02-28T12:00:00Z', '2028-02-29T12:00:00Z', '2028-03-01T12:00:00Z');
  expect(Object.values(kept(snapshots, rules({ daily: 9 }))).flat()).toEqual([
    'daily 2028-03-01',
    'daily 2028-02-29',
    'daily 2028-02-28',
  ]);
});

test('`within` counts back from the newest good snapshot, not from now', () => {
  const snapshots = taken(
    '2020-01-01T00:00:00Z',
    '2020-01-10T00:00:00Z',
    '2020-01-14T00:00:00Z',
    '2020-01-15T00:00:00Z',
  );
  expect(Object.keys(kept(snapshots, rules({ withinMs: 5 * DAY })))).toEqual([
    '2020-01-15T00:00:00Z',
    '2020-01-14T00:00:00Z',
    '2020-01-10T00:00:00Z',
  ]);
});

test('no retention keeps everything, and rules that keep nothing still keep the last one', () => {
  const snapshots = taken('2026-11-18T02:00:00Z', '2026-11-19T02:00:00Z');
  expect(Object.values(kept(snapshots, null))).toEqual([['no retention'], ['no retention']]);
  expect(kept(snapshots, rules({ keepLast: 0, daily: 0 }))).toEqual({ '2026-11-19T02:00:00Z': ['last good'] });
  expect(kept([], rules({ daily: 1 }))).toEqual({});
});
