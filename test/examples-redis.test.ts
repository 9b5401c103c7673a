import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ask, askText } from './engines/redis/ask.ts';
import { digestOf, SMALL } from './engines/redis/contents.ts';
import { targetOn } from './engines/redis-fixture.ts';

const ROOT = new URL('..', import.meta.url).pathname;

test('redis is applied, lost and restored in every mode, and no password is shown', async () => {
  const server = targetOn('redis-7.0');
  await ask(server, ...SMALL, ['ACL', 'SETUSER', 'app', 'on', '>of the app', '~*', '+@all']);
  const before = await digestOf(server);
  const root = mkdtempSync(join(tmpdir(), 'bkp-example-redis-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  cpSync(join(ROOT, 'examples/redis'), root, { recursive: true });
  const { host = '', port, password = '' } = server;
  const reaching = {
    SESSIONS_HOST: host,
    SESSIONS_PORT: `${port}`,
    SESSIONS_USER: 'default',
    SESSIONS_PASSWORD: password,
  };
  const said: string[] = [];
  const bkp = (...args: readonly string[]): string => {
    const output = execFileSync('node', [join(ROOT, 'src/bkp.cjs'), ...args], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...reaching, XDG_CACHE_HOME: join(root, '.cache') },
    });
    said.push(output);
    return output;
  };
  expect(bkp('validate')).toContain('valid bkp.yaml');
  expect(bkp('plan', '--init-repositories')).toContain('first-snapshot');
  bkp('apply', '--yes', '--init-repositories');
  bkp('validate', '--online');
  expect(bkp('plan')).toContain('No changes.');
  expect(bkp('show', 'sessions@latest')).toContain('keys');

  await ask(server, ['FLUSHALL'], ['FUNCTION', 'FLUSH'], ['ACL', 'DELUSER', 'app']);
  bkp('restore', 'sessions@latest', '--yes');
  expect(await digestOf(server)).toBe(before);
  expect(await askText(server, 'ACL', 'USERS')).toContain('app');

  // What is changed in place is captured before.
  await ask(server, ['DEL', 'issues'], ['SET', 'own', 'x']);
  bkp('restore', 'sessions@latest', '--mode', 'merge', '--yes');
  expect(await askText(server, 'EXISTS', 'issues', 'own')).toBe('2');
  bkp('restore', 'sessions@latest', '--mode', 'replace', '--yes');
  expect(await digestOf(server)).toBe(before);
  expect(bkp('list').match(/safety/g)?.length).toBeGreaterThanOrEqual(2);
  bkp('restore', 'sessions@safety', '--mode', 'replace', '--yes');
  expect(await askText(server, 'EXISTS', 'own')).toBe('1');

  expect(bkp('verify', '--deep')).not.toContain('DAMAGED');
  expect(said.join('')).not.toContain(password);
  const written = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.json'));
  expect(written.filter((name) => readFileSync(join(root, name), 'utf8').includes(password))).toEqual([]);
});
