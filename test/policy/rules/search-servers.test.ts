import { expect, it } from 'vitest';
import { GOOD, problemsWith } from '../policy-text.ts';

const withTarget = (keys: string): string =>
  GOOD.replace(/^( {2}app-db: )\{.*\}$/m, `$1{ type: elasticsearch, ${keys} }`);

it.each([
  ['indices: [a]', ['BKP2063 which server?']],
  ['url: "http://a:9200", cloudId: "x:y"', ['BKP2063 `url` and `cloudId` cannot both stand here']],
  ['cloudId: "x:y"', []],
  ['url: "http://a:9200", apiKey: "${env:A}", username: b', ['BKP2064 `username` and `apiKey` cannot both stand here']],
  ['url: "http://a:9200", username: b, password: "${env:A}"', []],
])('a target of Elasticsearch names its server and its user once: %s', async (keys, problems) => {
  const found = await problemsWith(withTarget(keys), 'BKP2063', 'BKP2064');
  expect(found.map((problem) => problem.replace(/^\S+ /, ''))).toEqual(problems);
});

it('takes no password in the address', async () => {
  expect(await problemsWith(withTarget('url: "http://me:secret@a:9200"'), 'BKP1004', 'BKP1006')).toHaveLength(1);
});

it.each([
  ['method: snapshot', ['a snapshot needs a repository of the server']],
  ['method: snapshot, snapshotRepository: { name: nightly }', []],
  [
    'method: snapshot, versions: true, snapshotRepository: { name: n }',
    ['a snapshot of the server holds all versions'],
  ],
  ['snapshotRepository: { name: nightly }', ['an export goes into no repository of the server']],
  [
    'featureStates: [security], globalState: true',
    ['an export has no `featureStates`', 'an export has no `globalState`'],
  ],
  ['method: snapshot, snapshotRepository: { name: n }, featureStates: [security], globalState: true', []],
  [
    'method: snapshot, snapshotRepository: { name: n, settings: { location: /a } }',
    ['`settings` say nothing without a `type`'],
  ],
])('a snapshot of the server goes into its repository: %s', async (keys, problems) => {
  const found = await problemsWith(withTarget(`url: "http://a:9200", ${keys}`), 'BKP2067');
  expect(found.map((problem) => problem.replace(/^\S+ BKP2067 /, ''))).toEqual(problems);
});
