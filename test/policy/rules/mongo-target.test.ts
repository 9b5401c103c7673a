import { expect, it } from 'vitest';
import { GOOD, problemsWith } from '../policy-text.ts';

const withTarget = (keys: string): string => GOOD.replace(/^( {2}app-db: )\{.*\}$/m, `$1{ type: mongodb, ${keys} }`);

it.each([
  ['host: db', ['BKP2060 which database?']],
  ['database: a, databases: all', ['BKP2060 `database` and `databases` cannot both stand here']],
  ['database: a, oplog: true', ['BKP2065 mongodump takes the oplog with all databases only']],
  ['databases: all, excludeCollections: [x]', ['BKP2065 mongodump leaves collections of one database out only']],
  ['database: a, uri: "${env:URI}", port: 5', ['BKP2065 `port` cannot stand beside `uri`']],
  ['database: a, uri: "${env:URI}", oplog: false', []],
  ['databases: all, oplog: true, users: true', []],
  ['database: a, excludeCollections: [x], users: true', []],
])('a target of MongoDB says what goes together: %s', async (keys, problems) => {
  const found = await problemsWith(withTarget(keys), 'BKP2060', 'BKP2065', 'BKP1003', 'BKP1005');
  expect(found.map((problem) => problem.replace(/^\S+ /, ''))).toEqual(problems);
});
