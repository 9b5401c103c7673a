import { describe, expect, it } from 'vitest';
import { GOOD, problemsOf, problemsWith } from '../policy-text.ts';

const SECOND = GOOD.replace('  nas: {', '  tape: { type: directory, path: /mnt/off }\n  nas: {');
const withRetention = (retention: string, schedule = '"0 2 * * *"'): string =>
  GOOD.replace('{ keepLast: 2, daily: 7 }', retention).replace('"0 2 * * *"', schedule);

describe('unused parts', () => {
  it('warn about a target in no backup', async () => {
    const text = GOOD.replace('[app-db, app-files]', '[app-db]');
    expect(await problemsWith(text, 'BKP2040')).toEqual([
      'bkp.yaml:7:3 BKP2040 target "app-files" is in no backup: it is never captured',
    ]);
  });

  it('warn about a repository nobody uses', async () => {
    expect(await problemsWith(SECOND, 'BKP2041')).toEqual(['bkp.yaml:4:3 BKP2041 no backup uses repository "tape"']);
  });

  it('are not judged while a part of the policy cannot be read', async () => {
    const text = GOOD.replace('[app-db, app-files]', '[app-db]').replace('schedule: "0 2 * * *"', 'schedul: x');
    expect(await problemsWith(text, 'BKP2040', 'BKP2041')).toEqual([]);
  });
});

describe('copies', () => {
  it('warn about one copy', async () => {
    expect(await problemsOf(GOOD)).toEqual(['bkp.yaml:9:3 BKP2043 backup "app" has one copy only, on this machine']);
  });

  it('warn when no copy is off this machine', async () => {
    const text = SECOND.replace('[nas]', '[nas, tape]');
    expect(await problemsOf(text)).toEqual(['bkp.yaml:10:3 BKP2044 backup "app" has no copy off this machine']);
  });
});

describe('retention against the schedule', () => {
  it.each([
    ['{ keepLast: 1 }', '"@daily"', '1d'],
    ['{ daily: 1, monthly: 1 }', '"@daily"', '1d'],
    ['{ within: 12h }', '"@daily"', '1d'],
    ['{ within: 5h }', '{ every: 6h }', '6h'],
    ['{ within: 3d }', '"0 2 * * 1-5"', '3d'],
  ])('%s with %s', async (retention, schedule, interval) => {
    const isEnough = retention === '{ within: 3d }';
    const message = `bkp.yaml:10:3 BKP2042 retention of backup "app" holds less than one interval of its schedule (${interval}): only the newest snapshot stays`;
    expect(await problemsWith(withRetention(retention, schedule), 'BKP2042')).toEqual(isEnough ? [] : [message]);
  });

  it('counts the longest gap of a schedule', async () => {
    expect(await problemsWith(withRetention('{ within: 2d }', '"0 2 * * 1-5"'), 'BKP2042')).toHaveLength(1);
  });

  it.each(['{ keepLast: 2 }', '{ hourly: 24 }', '{ within: 14d }', '{ daily: 1, weekly: 2 }'])(
    '%s is enough',
    async (retention) => {
      expect(await problemsWith(withRetention(retention), 'BKP2042')).toEqual([]);
    },
  );
});

describe('settings that do not fit', () => {
  it('refuse a zstd level for gzip', async () => {
    expect(
      await problemsWith(
        GOOD.replace('path: data/app.db', 'path: a, compression: gzip, compressionLevel: 12'),
        'BKP2005',
      ),
    ).toEqual(['bkp.yaml:6:73 BKP2005 gzip has levels 1 to 9, not 12']);
    const inherited = GOOD.replace('defaults:\n', 'defaults:\n  compression: gzip\n').replace(
      'path: data/app.db',
      'path: a, compressionLevel: 10',
    );
    expect(await problemsWith(inherited, 'BKP2005')).toHaveLength(1);
  });

  it.each(['tar', 'plain', 'custom', 'directory'])('refuse parallel jobs where format %s has none', async (format) => {
    const target = `{ type: postgres, database: app, format: ${format}, jobs: 4 }`;
    const text = GOOD.replace(/(app-db: ).*/, `$1${target}`);
    expect(await problemsWith(text, 'BKP2006')).toEqual(
      ['tar', 'plain'].includes(format)
        ? [`bkp.yaml:6:${60 + format.length} BKP2006 format ${format} has one job, not 4`]
        : [],
    );
    expect(await problemsWith(text.replace('jobs: 4', 'jobs: 1'), 'BKP2006')).toEqual([]);
  });

  it('refuse parallel jobs of MySQL where one program dumps', async () => {
    const text = GOOD.replace(/(app-db: ).*/, '$1{ type: mysql, database: app, jobs: 4 }');
    expect(await problemsWith(text, 'BKP2006')).toEqual(['bkp.yaml:6:47 BKP2006 one program dumps, not 4']);
    expect(await problemsWith(text.replace('jobs: 4', 'jobs: 4, method: mydumper'), 'BKP2006')).toEqual([]);
    expect(await problemsWith(text.replace('jobs: 4', 'jobs: 1'), 'BKP2006')).toEqual([]);
  });

  it('refuse the destination of a restore in a target', async () => {
    expect(await problemsWith(GOOD.replace('[conf, /etc/app]', '[conf], root: /x'), 'BKP2054')).toEqual([
      'bkp.yaml:7:44 BKP2054 "root" says where to restore: it does not belong in a target',
    ]);
  });
});

describe('checks', () => {
  const withChecks = (checks: string): string => `${GOOD}    checks: ${checks}\n`;

  it.each([
    ['{ app-files: [{ sql: SELECT 1, expect: "> 0" }] }', '15:29 BKP2021 a files target has no SQL'],
    [
      '{ app-bd: [{ facts: a, expect: "> 0" }] }',
      '15:15 BKP2022 backup "app" does not capture "app-bd"; did you mean "app-db"?',
    ],
    ['{ app-db: [{ expect: "> 0" }] }', '15:24 BKP2020 a check needs `sql` or `facts`'],
    ['{ app-db: [{ sql: a, facts: b, expect: "> 0" }] }', '15:24 BKP2020 a check has `sql` or `facts`, not both'],
  ])('refuse %s', async (checks, problem) => {
    expect(await problemsWith(withChecks(checks), 'BKP2020', 'BKP2021', 'BKP2022')).toEqual([`bkp.yaml:${problem}`]);
  });

  it('accept SQL for sqlite and facts for all', async () => {
    const text = withChecks(
      '{ app-db: [{ sql: SELECT 1, expect: "> 0" }], app-files: [{ facts: entries, expect: "> 0" }] }',
    );
    expect(await problemsWith(text, 'BKP2020', 'BKP2021', 'BKP2022')).toEqual([]);
  });
});

describe('places', () => {
  it.each(['/var/backups', '/var/../var/backups/', '../var/backups'])(
    'refuse a second repository at %s',
    async (path) => {
      const text = SECOND.replace('/mnt/off', path).replace('[nas]', '[nas, tape]');
      expect(await problemsWith(text, 'BKP2045')).toEqual([
        'bkp.yaml:5:3 BKP2045 repository "nas" is the same place as "tape" (bkp.yaml:4)',
      ]);
    },
  );

  it('warn about a target that holds a repository, unless it is excluded', async () => {
    const text = GOOD.replace('[conf, /etc/app]', '[/var]');
    expect(await problemsWith(text, 'BKP2046')).toEqual([
      'bkp.yaml:7:3 BKP2046 target "app-files" holds repository "nas": every backup would contain the ones before',
    ]);
    expect(await problemsWith(text.replace('[/var]', '[/var], exclude: ["backups/**"]'), 'BKP2046')).toEqual([]);
    expect(await problemsWith(text.replace('[/var]', '[/var/backup]'), 'BKP2046')).toEqual([]);
  });

  it.each([
    ['all of it', 'bucket: acme', 'bucket: acme, prefix: backups', 1],
    ['a part of it', 'bucket: acme, prefix: data/', 'bucket: acme, prefix: data/backups', 1],
    ['another part', 'bucket: acme, prefix: data', 'bucket: acme, prefix: data-backups', 0],
    ['another bucket', 'bucket: acme', 'bucket: backups', 0],
    ['another store', 'bucket: acme, endpoint: "http://a"', 'bucket: acme, endpoint: "http://b"', 0],
  ])('in a bucket of which %s is captured', async (_name, target, repository, count) => {
    const text = GOOD.replace('{ type: directory, path: /var/backups }', `{ type: s3, ${repository} }`).replace(
      /\{ type: sqlite[^}]*\}/,
      `{ type: s3, ${target} }`,
    );
    expect(await problemsWith(text, 'BKP2046')).toHaveLength(count);
  });
});
