import { expect, it } from 'vitest';
import { GOOD, problemsWith } from '../policy-text.ts';

const ENCRYPTION = 'encryption: { recipients: [age1qjl4ws0vdsvhdakcm67st9pnyh4fl4wyw88lvju0hxsc4lmklpls3wkvhl] }';

const mirrored = (method: string): string =>
  GOOD.replace(/^( {2}app-files: )\{.*\}$/m, `$1{ type: s3, bucket: images, method: ${method} }`);

const inRepository = (policy: string): string =>
  policy.replace('path: /var/backups }', `path: /var/backups, ${ENCRYPTION} }`);
const ofBackup = (policy: string): string => policy.replace('    schedule:', `    ${ENCRYPTION}\n    schedule:`);

it.each([
  ['no encryption', mirrored('mirror'), []],
  ['an archive', inRepository(mirrored('archive')), []],
  ['an encrypted repository', inRepository(mirrored('mirror')), ['repository nas']],
  ['an encrypted backup', ofBackup(mirrored('mirror')), ['backup app']],
])('what is mirrored is not encrypted: %s', async (_, policy, whose) => {
  const found = await problemsWith(policy, 'BKP2074');
  expect(found.map((problem) => /and (.*) asks for encryption$/.exec(problem)?.[1])).toEqual(whose);
});
