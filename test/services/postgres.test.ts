import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { testFolder } from '../test-context.ts';
import { connectionOf, startedServices } from './connection.ts';
import { postgres15 } from './postgres.ts';
import { createDatabase, dropDatabase, psql } from './postgres-psql.ts';
import { isAlive } from './server-process.ts';
import { isFullSet } from './suites.ts';

/** Processes that carry a text in their command line. */
const processesOf = (mark: string): readonly string[] =>
  readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && isAlive(Number(pid)) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(mark);
    } catch {
      return false;
    }
  });

async function serverFolder(): Promise<string> {
  const folder = await testFolder();
  chmodSync(folder, 0o755);
  return folder;
}

const started = startedServices('postgres');

test('the chosen set is there', () => {
  const all = isFullSet();
  expect(started).toEqual(all ? ['postgres-15', 'postgres-17', 'postgres-18'] : ['postgres-15']);
});

describe.each(started)('%s', (name) => {
  const connection = connectionOf(name);
  const { version = '', pid = '', socket = '', port = '' } = connection;

  test('answers its own psql over TCP with a password', () => {
    expect(psql(connection, 'postgres', 'SELECT version()')).toMatch(new RegExp(`^PostgreSQL ${version}\\.`));
    expect(psql(connection, 'postgres', 'SELECT inet_server_port(), current_user')).toBe(`${port}|postgres`);
  });

  test('refuses a wrong password, over TCP and over its socket', () => {
    for (const host of ['127.0.0.1', socket]) {
      const wrong = { ...connection, host, password: 'wrong' };
      expect(() => psql(wrong, 'postgres', 'SELECT 1')).toThrow(/password authentication failed/);
      expect(psql({ ...connection, host }, 'postgres', 'SELECT 1')).toBe('1');
    }
  });

  test('runs without privileges', () => {
    const uid = /^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    expect(uid).toBe(`${process.getuid?.() === 0 ? 65_534 : process.getuid?.()}`);
    expect(readFileSync(join(socket, 'data/postmaster.pid'), 'utf8').split('\n')[0]).toBe(pid);
    expect(statSync(join(socket, 'data')).mode & 0o777).toBe(0o700);
  });

  test('makes and drops databases with odd names', () => {
    const database = 'odd "name" $1';
    const count = (): string =>
      psql(connection, 'postgres', `SELECT count(*) FROM pg_database WHERE datname = '${database}'`);
    createDatabase(connection, database);
    onTestFinished(() => dropDatabase(connection, database));
    expect(psql(connection, database, 'SELECT current_database()')).toBe(database);
    expect(count()).toBe('1');
    dropDatabase(connection, database);
    dropDatabase(connection, database);
    expect(count()).toBe('0');
  });

  test('stops a script at its first error', () => {
    expect(() => psql(connection, 'postgres', 'SELECT 1/0; SELECT 2')).toThrow(/division by zero/);
  });
});

test('no two servers share a port', () => {
  const ports = started.map((name) => connectionOf(name)['port']);
  expect(new Set(ports).size).toBe(ports.length);
});

test('a server that was not started is named', () => {
  expect(() => connectionOf('postgres-9')).toThrow(/^postgres-9 was not started: /);
});

test('stop leaves no process, clients or not', async () => {
  const folder = await serverFolder();
  const { connection, stop } = await postgres15.start('', folder);
  onTestFinished(stop);
  const { bin = '', socket = '', port = '', user = '', password = '' } = connection;
  const env = { PGHOST: socket, PGPORT: port, PGUSER: user, PGPASSWORD: password };
  const client = spawn(join(bin, 'psql'), ['-X', '-A', '-t'], { env, stdio: ['pipe', 'pipe', 'ignore'] });
  client.stdin.write('SELECT 1;\n');
  await once(client.stdout, 'data');
  const running = processesOf(folder);
  expect(running).toContain(connection['pid']);
  await stop();
  client.kill();
  expect(processesOf(folder)).toEqual([]);
  expect(running.filter((pid) => isAlive(Number(pid)))).toEqual([]);
  expect(existsSync(join(socket, 'data/postmaster.pid'))).toBe(false);
});

test.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)('a run that gets %s leaves no server behind', async (signal) => {
  const folder = await serverFolder();
  const entry = fileURLToPath(new URL('interrupted-run.ts', import.meta.url));
  const run = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', entry, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(run.stdout, 'data');
  const pid = String(line).trim();
  expect(isAlive(Number(pid))).toBe(true);
  run.kill(signal);
  await text(run.stdout);
  // Whoever exits waits for its servers, so that it can remove their folder; the kernel does not.
  const patience = signal === 'SIGKILL' ? 20_000 : 0;
  await expect.poll(() => isAlive(Number(pid)), { timeout: patience }).toBe(false);
});
