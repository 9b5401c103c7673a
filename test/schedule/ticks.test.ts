import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Schedule } from '../../src/policy/resolved-policy.ts';
import { dueTick, lastTick, nextTick } from '../../src/schedule/ticks.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const cron = (expression: string): Schedule => ({ kind: 'cron', expression });
const every = (everyMs: number): Schedule => ({ kind: 'every', everyMs });
const at = (time: string): Date => new Date(time);

const zones = fc.constantFrom(
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Australia/Lord_Howe',
  'America/Santiago',
  'Asia/Kathmandu',
);
const schedules = fc.oneof(
  fc
    .constantFrom(
      '0 2 * * *',
      '30 2 * * *',
      '*/30 * * * *',
      '15 */6 * * *',
      '0 0 * * 1',
      '0 0 1 * *',
      '@daily',
      '@hourly',
      '@weekly',
    )
    .map(cron),
  fc.integer({ min: 1, max: 40 * 24 * 60 }).map((minutes) => every(minutes * MINUTE)),
);
const instants = fc.date({ min: at('2025-01-01T00:00:00Z'), max: at('2028-01-01T00:00:00Z'), noInvalidDate: true });

describe('properties', () => {
  test('now lies between the last tick and the next', () => {
    fc.assert(
      fc.property(schedules, zones, instants, (schedule, zone, now) => {
        const last = lastTick(schedule, zone, now);
        const next = nextTick(schedule, zone, now);
        expect(last?.getTime()).toBeLessThanOrEqual(now.getTime());
        expect(next?.getTime()).toBeGreaterThan(now.getTime());
      }),
      { numRuns: 2000 },
    );
  });

  test('a tick is its own last one, and nothing lies between it and the one before the next', () => {
    fc.assert(
      fc.property(schedules, zones, instants, (schedule, zone, now) => {
        const next = nextTick(schedule, zone, now) ?? now;
        expect(lastTick(schedule, zone, next)).toEqual(next);
        const justBefore = new Date(next.getTime() - 1);
        expect(lastTick(schedule, zone, justBefore)).toEqual(lastTick(schedule, zone, now));
        expect(nextTick(schedule, zone, justBefore)).toEqual(next);
      }),
      { numRuns: 2000 },
    );
  });

  test('a later moment never has an earlier tick', () => {
    fc.assert(
      fc.property(schedules, zones, instants, fc.nat(10 * DAY), (schedule, zone, now, later) => {
        const before = dueTick(schedule, zone, now)?.getTime() ?? 0;
        const after = dueTick(schedule, zone, new Date(now.getTime() + later))?.getTime() ?? 0;
        expect(after).toBeGreaterThanOrEqual(before);
      }),
      { numRuns: 1000 },
    );
  });

  test('a daily schedule has exactly one tick on every calendar day of its zone', () => {
    fc.assert(
      fc.property(
        zones,
        fc.integer({ min: 0, max: 23 }),
        fc.constantFrom(0, 15, 30, 59),
        instants,
        (zone, hour, minute, from) => {
          const dayOf = new Intl.DateTimeFormat('en-CA', { timeZone: zone });
          const days: string[] = [];
          let tick: Date | null = from;
          for (let index = 0; index < 40; index++) {
            tick = nextTick(cron(`${minute} ${hour} * * *`), zone, tick ?? from);
            days.push(dayOf.format(tick ?? from));
          }
          expect(new Set(days).size).toBe(40);
          const [first = '', last = ''] = [days[0], days.at(-1)];
          expect((Date.parse(last) - Date.parse(first)) / DAY).toBe(39);
        },
      ),
      { numRuns: 150 },
    );
  });
});

describe('clock changes', () => {
  const berlin = 'Europe/Berlin';
  const daily = cron('30 2 * * *');

  test('a time in the skipped hour runs right after it', () => {
    expect(nextTick(daily, berlin, at('2026-03-28T12:00:00Z'))).toEqual(at('2026-03-29T01:00:00Z'));
    expect(lastTick(daily, berlin, at('2026-03-29T00:59:59Z'))).toEqual(at('2026-03-28T01:30:00Z'));
    expect(lastTick(daily, berlin, at('2026-03-29T01:00:00Z'))).toEqual(at('2026-03-29T01:00:00Z'));
    expect(nextTick(daily, berlin, at('2026-03-29T01:00:00Z'))).toEqual(at('2026-03-30T00:30:00Z'));
  });

  test('a time in the repeated hour runs once', () => {
    expect(nextTick(daily, berlin, at('2026-10-24T12:00:00Z'))).toEqual(at('2026-10-25T00:30:00Z'));
    expect(nextTick(daily, berlin, at('2026-10-25T00:30:00Z'))).toEqual(at('2026-10-26T01:30:00Z'));
    expect(lastTick(daily, berlin, at('2026-10-25T01:45:00Z'))).toEqual(at('2026-10-25T00:30:00Z'));
  });

  test('a midnight that is skipped runs when the day begins', () => {
    expect(nextTick(cron('@daily'), 'America/Santiago', at('2026-09-05T12:00:00Z'))).toEqual(
      at('2026-09-06T04:00:00Z'),
    );
  });
});

test('leap days', () => {
  const schedule = cron('0 0 29 2 *');
  expect(nextTick(schedule, 'UTC', at('2026-01-01T00:00:00Z'))).toEqual(at('2028-02-29T00:00:00Z'));
  expect(lastTick(schedule, 'UTC', at('2026-01-01T00:00:00Z'))).toEqual(at('2024-02-29T00:00:00Z'));
});

test('a schedule that never comes has no tick', () => {
  const never = cron('0 0 30 2 *');
  const now = at('2026-01-01T00:00:00Z');
  expect([lastTick(never, 'UTC', now), nextTick(never, 'UTC', now), dueTick(never, 'UTC', now)]).toEqual([
    null,
    null,
    null,
  ]);
});

test('an interval has its ticks at whole multiples since 1970, also before', () => {
  expect(lastTick(every(6 * HOUR), 'Europe/Berlin', at('2026-11-19T07:59:00Z'))).toEqual(at('2026-11-19T06:00:00Z'));
  expect(lastTick(every(6 * HOUR), 'UTC', at('2026-11-19T06:00:00Z'))).toEqual(at('2026-11-19T06:00:00Z'));
  expect(nextTick(every(7 * DAY), 'UTC', at('1970-01-01T00:00:00Z'))).toEqual(at('1970-01-08T00:00:00Z'));
  expect(lastTick(every(DAY), 'UTC', at('1969-12-31T12:00:00Z'))).toEqual(at('1969-12-31T00:00:00Z'));
});

test('a capture that starts up to five minutes early is made for the next tick', () => {
  const schedule = cron('0 2 * * *');
  expect(dueTick(schedule, 'UTC', at('2026-11-19T01:54:59.999Z'))).toEqual(at('2026-11-18T02:00:00Z'));
  expect(dueTick(schedule, 'UTC', at('2026-11-19T01:55:00.000Z'))).toEqual(at('2026-11-19T02:00:00Z'));
  expect(dueTick(schedule, 'UTC', at('2026-11-19T02:00:00.000Z'))).toEqual(at('2026-11-19T02:00:00Z'));
});
