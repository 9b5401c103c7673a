import { expect, it } from 'vitest';
import { GOOD, problemsWith } from '../policy-text.ts';

const withTarget = (keys: string, check = ''): string =>
  GOOD.replace(/^( {2}app-db: )\{.*\}$/m, `$1{ type: postgres, ${keys} }`).replace(
    /^( {2}app:)$/m,
    `$1\n    checks: { ${check === '' ? '' : `app-db: [${check}]`} }`,
  );
const CODES = ['BKP2060', 'BKP2061', 'BKP2021', 'BKP1003'] as const;

it.each([
  ['host: db', ['BKP2060 which database?']],
  ['database: a, databases: [b]', ['BKP2060 `database` and `databases` cannot both stand here']],
  ['databases: [a], excludeDatabases: [b]', ['BKP2061 nothing to leave out: `databases` is not `all`']],
  ['database: a', []],
  ['databases: [a, b]', []],
  ['databases: all, excludeDatabases: ["x*"]', []],
])('a target of PostgreSQL names its databases once: %s', async (keys, problems) => {
  const found = await problemsWith(withTarget(keys), ...CODES);
  expect(found.map((problem) => problem.replace(/^\S+ /, ''))).toEqual(problems);
});

it('lets SQL be asked of one database only', async () => {
  const check = '{ sql: "SELECT 1", expect: "= 1" }';
  expect(await problemsWith(withTarget('databases: [a, b]', check), ...CODES)).toEqual([
    expect.stringContaining('BKP2021 "app-db" is several databases, and SQL is asked of one'),
  ]);
  expect(await problemsWith(withTarget('database: a', check), ...CODES)).toEqual([]);
});
