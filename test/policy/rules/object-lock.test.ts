import { describe, expect, it } from 'vitest';
import { GOOD, problemsWith } from '../policy-text.ts';

const policy = (days: number, retention: string, schedule = '"0 2 * * *"'): string =>
  GOOD.replace('  nas: {', `  off: { type: s3, bucket: b, objectLock: { mode: compliance, days: ${days} } }\n  nas: {`)
    .replace('[nas]', '[nas, off]')
    .replace('{ keepLast: 2, daily: 7 }', retention)
    .replace('"0 2 * * *"', schedule);

describe('object lock', () => {
  it.each([
    [6, '{ daily: 7 }', 7],
    [14, '{ daily: 7, monthly: 12 }', 360],
    [20, '{ weekly: 3 }', 21],
    [1, '{ hourly: 25 }', 2],
    [13, '{ within: 2w }', 14],
    [9, '{ keepLast: 10 }', 10],
  ])('of %i days is shorter than %s', async (days, retention, kept) => {
    expect(await problemsWith(policy(days, retention), 'BKP2047')).toEqual([
      `bkp.yaml:4:69 BKP2047 objects of "off" are locked for ${days}d, retention of backup "app" keeps them for ${kept}d`,
    ]);
  });

  it.each([
    [7, '{ daily: 7 }'],
    [14, '{ within: 2w }'],
    [1, '{ hourly: 24 }'],
    [10, '{ keepLast: 10 }'],
  ])('of %i days is enough for %s', async (days, retention) => {
    expect(await problemsWith(policy(days, retention), 'BKP2047')).toEqual([]);
  });

  it('cannot last as long as what is kept for good', async () => {
    const text = policy(7, 'x').replace(/ +retention: x\n/, '');
    expect(await problemsWith(text, 'BKP2047')).toEqual([]);
  });
});
