import { describe, expect, it } from 'vitest';
import { GOOD, examine, problemsOf } from './policy-text.ts';

const DB = '{ type: sqlite, path: data/app.db }';
const change = (from: string, to: string): string => {
  if (!GOOD.includes(from)) throw new Error(`the policy has no ${from}`);
  return GOOD.replace(from, to);
};

describe('schema problems', () => {
  it.each([
    [
      'an unknown key',
      change('daily: 7', 'dayly: 7'),
      ['10:29 BKP1002 unknown key "dayly" in retention; did you mean "daily"?'],
    ],
    [
      'an unknown top-level key',
      `${GOOD}targetz: {}\n`,
      ['15:1 BKP1002 unknown key "targetz" in the policy; did you mean "targets"?'],
    ],
    [
      'a key far from any other',
      change(DB, '{ type: sqlite, path: a, colour: red }'),
      ['6:36 BKP1002 unknown key "colour" in target "app-db"'],
    ],
    ['a missing key', change(DB, '{ type: sqlite }'), ['6:3 BKP1003 missing key "path" in target "app-db"']],
    ['a missing name', change('name: acme\n', ''), ['1:1 BKP1003 missing key "name" in the policy']],
    ['a missing type', change(DB, '{ path: a }'), ['6:3 BKP1003 missing key "type" in target "app-db"']],
    [
      'an unknown type',
      change('sqlite', 'sqlit'),
      ['6:19 BKP1005 "type" in target "app-db" cannot be "sqlit"; did you mean "sqlite"?'],
    ],
    [
      'a type that is a number',
      change('sqlite', '5'),
      ['6:19 BKP1005 "type" in target "app-db" cannot be the number 5'],
    ],
    [
      'another version',
      change('version: 1', 'version: 2'),
      ['1:10 BKP1005 "version" in the policy cannot be the number 2'],
    ],
    [
      'a wrong kind',
      change('keepLast: 2', 'keepLast: "2"'),
      ['10:26 BKP1004 "keepLast" in retention must be a whole number, not text'],
    ],
    ['an empty section', change(DB, ''), ['6:3 BKP1004 "app-db" in targets must be a map, not empty']],
    [
      'a number too small',
      change('keepLast: 2', 'keepLast: 0'),
      ['10:26 BKP1007 "keepLast" in retention must be at least 1'],
    ],
    [
      'an empty list',
      change('[conf, /etc/app]', '[]'),
      ['7:36 BKP1008 "paths" in target "app-files" must not be empty'],
    ],
    [
      'an entry twice',
      change('[conf, /etc/app]', '[conf, conf]'),
      ['7:43 BKP1009 the same entry stands twice in paths'],
    ],
    ['a bad name', change('name: acme', 'name: Acme!'), ['2:7 BKP1006 "Acme!" is not a valid name']],
    [
      'a bad target name',
      change('app-db: {', 'App_DB: {').replace('[app-db, ', '['),
      ['6:3 BKP1006 "App_DB" is not a valid name'],
    ],
    [
      'a schedule of the wrong kind',
      change('"0 2 * * *"', '5'),
      ['14:15 BKP1004 "schedule" in backup "app" must be text or a map, not the number 5'],
    ],
    [
      'a slip inside an interval',
      change('"0 2 * * *"', '{ evry: 6h }'),
      [
        '14:5 BKP1003 missing key "every" in schedule',
        '14:17 BKP1002 unknown key "evry" in schedule; did you mean "every"?',
      ],
    ],
  ])('tells %s once', async (_name, text, problems) => {
    const { diagnostics } = await examine(text);
    const errors = diagnostics.filter(({ severity, code }) => severity === 'error' && code < 'BKP2000');
    expect(
      errors.map(({ range, code, message }) => `${range.start.line}:${range.start.column} ${code} ${message}`),
    ).toEqual(problems);
  });

  it('explains yes and no', async () => {
    const { diagnostics } = await examine(`${GOOD}    enabled: no\n`);
    expect(diagnostics.find(({ code }) => code === 'BKP1004')).toMatchObject({
      message: '"enabled" in backup "app" must be true or false, not text',
      hint: 'YAML 1.2 knows true and false only; write false',
    });
  });

  it('keeps judging what is sound', async () => {
    const text = GOOD.replace('sqlite', 'sqlit').replace('[app-db, app-files]', '[app-db, app-filez]');
    const problems = await problemsOf(text);
    expect(problems).toContain('bkp.yaml:13:23 BKP2010 unknown target "app-filez"; did you mean "app-files"?');
    expect(problems.join('\n')).not.toContain('unknown target "app-db"');
  });

  it('lets a reference stand where a number or a truth value is expected, and nowhere else', async () => {
    const inRepository = GOOD.replace('path: /var/backups', 'path: /var/backups, singleWriter: "${env:SINGLE}"');
    expect(await problemsOf(inRepository)).toEqual([
      'bkp.yaml:9:3 BKP2043 backup "app" has one copy only, on this machine',
    ]);
    expect(await problemsOf(GOOD.replace('keepLast: 2', 'keepLast: "${env:N}"'))).toContain(
      'bkp.yaml:10:26 BKP1004 "keepLast" in retention must be a whole number, not text',
    );
  });

  it('has the right key range for carets', async () => {
    const { diagnostics } = await examine(GOOD.replace('daily', 'dayly'));
    expect(diagnostics.find(({ code }) => code === 'BKP1002')?.range).toEqual({
      start: { line: 10, column: 29 },
      end: { line: 10, column: 34 },
    });
  });
});
