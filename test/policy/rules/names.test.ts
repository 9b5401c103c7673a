import { describe, expect, it } from 'vitest';
import { GOOD, problemsOf, problemsWith } from '../policy-text.ts';

describe('names', () => {
  it.each([
    ['a target', GOOD.replace('[app-db,', '[app-bd,'), '13:15 BKP2010 unknown target "app-bd"; did you mean "app-db"?'],
    ['a repository', GOOD.replace('[nas]', '[nass]'), '9:18 BKP2010 unknown repository "nass"; did you mean "nas"?'],
    ['a repository of one backup', `${GOOD}    repositories: [nas, tape]\n`, '15:25 BKP2010 unknown repository "tape"'],
    [
      'a backup',
      `${GOOD}restores: { r: { from: ap@2026-11-19, targets: { app-db: { into: { path: x } } } } }\n`,
      '15:24 BKP2010 unknown backup "ap"; did you mean "app"?',
    ],
    [
      'a target of a restore',
      `${GOOD}restores: { r: { from: app@2026-11-19, targets: { app-dbs: {} } } }\n`,
      '15:51 BKP2010 unknown target "app-dbs"; did you mean "app-db"?',
    ],
  ])('refuse %s that is not there', async (_name, text, problem) => {
    expect(await problemsWith(text, 'BKP2010')).toEqual([`bkp.yaml:${problem}`]);
  });

  it('refuse a backup without a repository', async () => {
    const text = GOOD.replace('  repositories: [nas]\n', '');
    expect(await problemsWith(text, 'BKP2013')).toEqual(['bkp.yaml:11:3 BKP2013 backup "app" has no repository']);
  });

  it.each([
    [
      'of a target in use',
      GOOD.replace('path: data/app.db', 'path: a, formerly: [app-files]'),
      '6:47 BKP2012 "app-files" is the name of a target today',
    ],
    ['of a backup in use', `${GOOD}    formerly: [app]\n`, '15:16 BKP2012 "app" is the name of a backup today'],
    [
      'of the policy itself',
      GOOD.replace('name: acme', 'name: acme\nformerly: [acme]'),
      '3:12 BKP2012 "acme" is the name of a policy today',
    ],
    [
      'claimed twice',
      GOOD.replace('path: data/app.db', 'path: a, formerly: [old]').replace('/etc/app]', '/etc/app], formerly: [old]'),
      '7:65 BKP2012 former name "old" is claimed by target "app-db" already',
    ],
  ])('refuse a former name %s', async (_name, text, problem) => {
    expect(await problemsWith(text, 'BKP2012')).toEqual([`bkp.yaml:${problem}`]);
  });

  it('accept former names nobody uses', async () => {
    const text = GOOD.replace('name: acme', 'name: acme\nformerly: [old]').replace(
      'path: data/app.db',
      'path: a, formerly: [old]',
    );
    expect((await problemsOf(text)).filter((problem) => !problem.includes('BKP2043'))).toEqual([]);
  });
});
