import { expect, it } from 'vitest';
import { problemsWith } from '../policy-text.ts';

const RECIPIENT = 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p';

const policy = (backup: string, method = 'snapshot'): string => `version: 1
name: acme
repositories:
  open: { type: directory, path: /a }
  other: { type: directory, path: /b }
  sealed: { type: directory, path: /c, encryption: { recipients: [${RECIPIENT}] } }
targets:
  search:
    type: elasticsearch
    url: "http://a:9200"
    method: ${method}
    ${method === 'snapshot' ? 'snapshotRepository: { name: nightly }' : ''}
backups:
  search:
    targets: [search]
    ${backup}
`;

it.each([
  ['repositories: [open]', []],
  ['repositories: [open, sealed]', ['the data of "search" stays with its server as it is']],
  [
    `repositories: [open]\n    encryption: { recipients: [${RECIPIENT}] }`,
    ['the data of "search" stays with its server as it is'],
  ],
])('what stays with a server is not encrypted: %s', async (backup, problems) => {
  const found = await problemsWith(policy(backup), 'BKP2073');
  expect(found.map((problem) => problem.replace(/^.* but /, ''))).toEqual(problems);
  expect(await problemsWith(policy(backup, 'export'), 'BKP2073')).toEqual([]);
});

it('what stays with a server has one copy, however many repositories know of it', async () => {
  const backup = 'repositories: [open, other]';
  expect(await problemsWith(policy(backup), 'BKP2043')).toEqual([
    expect.stringContaining('one copy only of "search": every repository knows where it is, none has it'),
  ]);
  expect(await problemsWith(policy(backup, 'export'), 'BKP2043')).toEqual([]);
});
