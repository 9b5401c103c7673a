import { describe, expect, it } from 'vitest';
import { parseDuration } from '../../../src/duration.ts';
import { parseExpectation } from '../../../src/policy/expectation.ts';
import { GOOD, problemsOf } from '../policy-text.ts';

describe('durations', () => {
  it.each([
    ['90s', 90_000],
    ['5m', 300_000],
    ['26h', 93_600_000],
    ['7d', 604_800_000],
    ['2w', 1_209_600_000],
  ])('reads %s', (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
  });

  it.each(['', '5', 's', '0s', '-1h', '1.5h', '1 h', '5M', '7days', '1h30m', '99999999999d', ' 5s'])(
    'refuses "%s"',
    (text) => {
      expect(parseDuration(text)).toBeUndefined();
    },
  );

  it.each([
    ['in defaults', GOOD.replace('retention:', 'timeout: 4x\n  retention:'), '10:12'],
    ['in retention', GOOD.replace('daily: 7', 'within: 2years'), '10:37'],
    ['in a schedule', GOOD.replace('"0 2 * * *"', '{ every: 6 h }'), '14:24'],
    ['in a hook', `${GOOD}    hooks: { before: [{ run: [a], timeout: soon }] }\n`, '15:44'],
    ['in a target', GOOD.replace('path: data/app.db', 'path: a, busyTimeout: 30'), ''],
    ['in a target as text', GOOD.replace('path: data/app.db', 'path: a, busyTimeout: 30sec'), '6:49'],
  ])('are checked %s', async (_name, text, at) => {
    const found = (await problemsOf(text)).filter((problem) => problem.includes('BKP2001'));
    expect(found.map((problem) => problem.split(' ')[0])).toEqual(at === '' ? [] : [`bkp.yaml:${at}`]);
  });
});

describe('schedules', () => {
  const withSchedule = (schedule: string): string => GOOD.replace('"0 2 * * *"', JSON.stringify(schedule));

  it.each([
    '0 2 * * *',
    '*/15 * * * *',
    '0 0 1 JAN *',
    '30 3 * * 1-5',
    '@hourly',
    '@daily',
    '@weekly',
    '@monthly',
    '@yearly',
  ])('accepts "%s"', async (schedule) => {
    expect((await problemsOf(withSchedule(schedule))).filter((problem) => problem.includes('BKP2002'))).toEqual([]);
  });

  it.each([
    ['* * * *', 'a schedule has five fields, this one has 4'],
    ['0 0 2 * * *', 'a schedule has five fields, this one has 6'],
    ['61 * * * *', 'invalid value for minute: 61'],
    ['0 0 30 2 *', 'it never happens'],
    ['@dayly', 'unknown nickname; did you mean "@daily"?'],
    ['@reboot', 'unknown nickname'],
    ['', 'a schedule has five fields, this one has 0'],
  ])('refuses "%s"', async (schedule, reason) => {
    expect(await problemsOf(withSchedule(schedule))).toContain(
      `bkp.yaml:14:15 BKP2002 "${schedule}" is not a schedule: ${reason}`,
    );
  });
});

describe('time zones', () => {
  it.each([
    ['Europe/Berln', 'unknown time zone "Europe/Berln"; did you mean "Europe/Berlin"?'],
    ['+01:00', 'unknown time zone "+01:00"'],
    ['Mars/Phobos', 'unknown time zone "Mars/Phobos"'],
  ])('refuses %s', async (zone, message) => {
    const text = GOOD.replace('defaults:\n', `defaults:\n  timezone: ${JSON.stringify(zone)}\n`);
    expect(await problemsOf(text)).toContain(`bkp.yaml:9:13 BKP2003 ${message}`);
  });
});

describe('expectations', () => {
  it.each([
    ['> 0', { operator: '>', relative: false, value: 0 }],
    ['=12', { operator: '=', relative: false, value: 12 }],
    ['>= previous * 0.9', { operator: '>=', relative: true, value: 0.9 }],
    ['<= previous', { operator: '<=', relative: true, value: 1 }],
    ['= ok', { operator: '=', relative: false, value: 'ok' }],
    ["!= 'a b'", { operator: '!=', relative: false, value: 'a b' }],
    ['< -1.5e3', { operator: '<', relative: false, value: -1500 }],
  ])('reads %s', (text, expectation) => {
    expect(parseExpectation(text)).toEqual({ text, ...expectation });
  });

  it.each(['', '0', '~ 0', '> ', '> many', '== 1', '> previous + 1', '> previously', '=> 1'])(
    'refuses "%s"',
    (text) => {
      expect(typeof parseExpectation(text)).toBe('string');
    },
  );

  it('are checked where they stand', async () => {
    const text = `${GOOD}    checks: { app-db: [{ sql: SELECT 1, expect: "== 1" }] }\n`;
    expect(await problemsOf(text)).toContain(
      'bkp.yaml:15:49 BKP2004 cannot read expectation "== 1": equality is written with one =',
    );
  });
});
