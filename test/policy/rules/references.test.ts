import { describe, expect, it } from 'vitest';
import { GOOD, examine, problemsWith } from '../policy-text.ts';

const CODES = ['BKP2030', 'BKP2031', 'BKP2034'];
const hook = (env: string): string => `${GOOD}    hooks: { before: [{ run: [a], env: ${env} }] }\n`;

describe('references', () => {
  it.each([
    ['in a path of a repository', GOOD.replace('path: /var/backups', 'path: "${env:DIR:-/var}/${file:name}"')],
    ['in a setting of a target', GOOD.replace('path: data/app.db', 'path: a, busyTimeout: "${env:BUSY}"')],
    ['in the environment of a hook', hook('{ TOKEN: "${file:token}", LEVEL: "1" }')],
    [
      'in the destination of a restore',
      `${GOOD}restores: { r: { from: app@2026-11-19, targets: { app-db: { into: { path: x, busyTimeout: "\${env:B}" } } } } }\n`,
    ],
    ['as an escape', hook('{ TEXT: "$${HOME}" }')],
    ['below an x- key, which is not read', `x-a: "\${env:"\n${GOOD}`],
    [
      'as another dollar in a list of arguments',
      GOOD.replace('schedule:', 'hooks: { before: [{ run: [sh, -c, "echo ${HOME}"] }] }\n    schedule:'),
    ],
  ])('may stand %s', async (_name, text) => {
    expect(await problemsWith(text, ...CODES)).toEqual([]);
  });

  it.each([
    ['in what is captured', GOOD.replace('path: data/app.db', 'path: "${env:DB}"'), '6:33'],
    ['in a list of what is captured', GOOD.replace('[conf,', '["${file:list}",'), '7:37'],
    [
      'in a list of arguments',
      GOOD.replace('schedule:', 'hooks: { before: [{ run: ["${env:PROGRAM}"] }] }\n    schedule:'),
      '14:31',
    ],
    ['in a key', hook('{ "${env:NAME}": x }'), '15:42'],
    ['in a check', `${GOOD}    checks: { app-db: [{ sql: "SELECT \${env:COLUMN}", expect: "> 0" }] }\n`, '15:31'],
    ['in the policy name of a backup', GOOD.replace('"0 2 * * *"', '"${env:CRON}"'), '14:15'],
  ])('may not stand %s', async (_name, text, at) => {
    expect(await problemsWith(text, 'BKP2030')).toEqual([`bkp.yaml:${at} BKP2030 a reference does not work here`]);
  });

  it.each(['${HOME}', '${env:}', '${env:1X}', '${env:A B}', '${file:}', '${vault:x}', '${env:OPEN'])(
    'refuse %s',
    async (reference) => {
      const text = GOOD.replace('path: /var/backups', `path: ${JSON.stringify(`/x/${reference}`)}`);
      expect(await problemsWith(text, 'BKP2031')).toEqual([`bkp.yaml:4:33 BKP2031 "${reference}" is not a reference`]);
    },
  );
});

describe('literal secrets', () => {
  it.each(['PASSWORD', 'PGPASSWORD', 'API_TOKEN', 'apiKey', 'AWS_SECRET_ACCESS_KEY', 'CREDENTIALS', 'PASSPHRASE'])(
    'warn in %s',
    async (name) => {
      const { diagnostics } = await examine(hook(`{ ${name}: hunter2hunter2 }`));
      const found = diagnostics.filter(({ code }) => code === 'BKP2034');
      expect(found).toHaveLength(1);
      expect(found[0]).toMatchObject({ severity: 'warning', message: `"${name}" is a literal where a secret belongs` });
      expect(JSON.stringify(diagnostics)).not.toContain('hunter2');
    },
  );

  it.each([
    '{ LEVEL: debug }',
    '{ PASSWORD: "${env:PASSWORD}" }',
    '{ PASSWORD: "" }',
    '{ PATH: /bin, COMPASS: north }',
  ])('do not warn for %s', async (env) => {
    expect(await problemsWith(hook(env), 'BKP2034')).toEqual([]);
  });

  it('are covered in every frame, also of other problems and of broken files', async () => {
    const broken = hook('{ PASSWORD: "hunter2hunter2", B: hunter3hunter3 }').replace('env:', 'timout: 4, env:');
    expect(JSON.stringify((await examine(broken)).diagnostics)).not.toMatch(/hunter/);
    const unparsable = `password: hunter2hunter2\n  token: "hunter2hunter2\n: [`;
    const { diagnostics } = await examine(unparsable);
    expect(diagnostics.length).toBeGreaterThan(0);
    expect(JSON.stringify(diagnostics)).not.toMatch(/hunter/);
  });
});
