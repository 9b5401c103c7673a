import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Context } from '../../../src/context.ts';
import type { PostgresTarget } from '../../../src/engines/postgres/server/connection.ts';
import { postgres } from '../../../src/engines/postgres.ts';
import { connectionOf } from '../../services/connection.ts';
import { createDatabase, dropDatabase, psql } from '../../services/postgres-psql.ts';
import { testContext } from '../../test-context.ts';
import { postgresFixture } from '../postgres-fixture.ts';
import { newRepository, take, type Taken } from '../workbench.ts';

const server = connectionOf('postgres-15');
let made = 0;

interface Place {
  readonly context: Context;
  readonly target: PostgresTarget;
  readonly sql: (statements: string) => string;
  readonly capture: (target?: PostgresTarget) => Promise<Taken>;
}

/** A database of its own with a few tables. */
async function place(statements: string): Promise<Place> {
  const { context, folder } = await testContext();
  const database = `capture ${process.pid} ${++made}`;
  createDatabase(server, database);
  onTestFinished(() => dropDatabase(server, database));
  const { host = '', port = '', user = '', password = '' } = server;
  const target = { type: 'postgres', host, port: Number(port), user, password, database } as const;
  const sql = (text: string): string => psql(server, database, text);
  sql(statements);
  const repository = await newRepository(folder, context);
  return { context, target, sql, capture: (other = target) => take(postgresFixture, other, repository, context) };
}

/** A user of the server with a password, gone after the test. */
function makeUser(options: string): { readonly user: string; readonly password: string } {
  const user = `capture_user_${process.pid}_${++made}`;
  psql(server, 'postgres', `CREATE ROLE ${user} LOGIN PASSWORD 'pa:ss\\word' ${options}`);
  onTestFinished(() => void psql(server, 'postgres', `DROP ROLE ${user}`));
  return { user, password: 'pa:ss\\word' };
}

const EVENTS =
  'CREATE TABLE events (id serial PRIMARY KEY, what text); INSERT INTO events (what) SELECT n FROM generate_series(1, 500) n;';

describe('a capture', () => {
  test('counts under the snapshot of the dump while others write', async () => {
    const { sql, capture, target } = await place(EVENTS);
    const env = { ...process.env, PGPASSWORD: target.password };
    const argv = [
      '-X',
      '-q',
      '-h',
      target.host ?? '',
      '-p',
      String(target.port),
      '-U',
      target.user ?? '',
      '-d',
      target.database,
    ];
    const writer = spawn(join(server['bin'] ?? '', 'psql'), argv, { env, stdio: ['pipe', 'ignore', 'inherit'] });
    onTestFinished(() => void writer.kill());
    const insert = "INSERT INTO events (what) VALUES ('more'); DELETE FROM events WHERE id % 97 = 0;\n";
    const writing = (async () => {
      for (let round = 0; round < 3_000 && writer.exitCode === null; round++) {
        if (!writer.stdin.write(insert)) await once(writer.stdin, 'drain');
      }
      writer.stdin.end();
      await once(writer, 'close');
    })();
    const counts: unknown[] = [];
    for (let round = 0; round < 4; round++) {
      const { facts } = await capture();
      counts.push((facts['tables'] as Record<string, number>)['public.events']);
    }
    await writing;
    expect(new Set(counts).size).toBeGreaterThan(1);
    expect((await capture()).facts).toMatchObject({
      tables: { 'public.events': Number(sql('SELECT count(*) FROM events')) },
    });
  });

  test('tells sequences, large objects and how the database was made', async () => {
    const { capture } = await place(`${EVENTS} CREATE SEQUENCE "un used"; SELECT lo_from_bytea(0, 'abc');`);
    expect((await capture()).facts).toEqual({
      tables: { 'public.events': 500 },
      largeObjects: 1,
      sequences: { 'public."un used"': null, 'public.events_id_seq': '500' },
      database: { encoding: 'UTF8', collate: 'C.UTF-8', ctype: 'C.UTF-8', owner: 'postgres' },
    });
  });

  test('counts nothing where checks are fast', async () => {
    const { context, target } = await place(EVENTS);
    const capture = await postgres.capture({ ...target, checks: 'fast' }, context);
    expect(Object.keys(await capture.facts())).toEqual(['database']);
    await capture.close();
  });

  test('by a user with an odd password and a statement timeout', async () => {
    const { capture, target, sql } = await place(EVENTS);
    const account = makeUser('');
    sql(`GRANT pg_read_all_data TO ${account.user}; ALTER ROLE ${account.user} SET statement_timeout = '1ms'`);
    expect((await capture({ ...target, ...account })).facts).toMatchObject({ tables: { 'public.events': 500 } });
  });

  test('with options for every session', async () => {
    const { capture, target, sql } = await place(EVENTS);
    const { user } = makeUser('');
    // The role may read nothing: our own session sees that first.
    await expect(capture({ ...target, options: `-c role=${user}` })).rejects.toMatchObject({
      message: expect.stringContaining('may not read'),
    });
    sql(`CREATE TABLE seen (setting text); GRANT pg_read_all_data TO ${user};
      CREATE VIEW asked AS SELECT current_setting('work_mem')`);
    const options = `-c role=${user} -c work_mem=7MB`;
    const opened = await postgres.capture({ ...target, options }, (await testContext()).context);
    onTestFinished(() => opened.close());
    expect(await opened.query?.('SELECT * FROM asked')).toBe('7MB');
    expect((await capture({ ...target, options })).facts).toMatchObject({ tables: { 'public.events': 500 } });
  });

  test('through a unix socket', async () => {
    const { capture, target } = await place(EVENTS);
    const { host: _host, ...rest } = target;
    expect((await capture({ ...rest, socket: server['socket'] ?? '' })).facts).toMatchObject({ largeObjects: 0 });
  });
});

describe('a capture is refused', () => {
  const refusals: Readonly<Record<string, [make: string, asUser: string, message: string]>> = {
    'where row-level security hides rows': [
      `${EVENTS} ALTER TABLE events ENABLE ROW LEVEL SECURITY;`,
      'GRANT pg_read_all_data TO',
      'row-level security hides rows of public.events',
    ],
    'where a table may not be read': [EVENTS, 'SELECT', 'the user may not read public.events, public.events_id_seq'],
  };
  test.each(Object.entries(refusals))('%s', async (_name, [make, grant, message]) => {
    const { capture, target, sql, context } = await place(make);
    const account = makeUser('');
    if (grant !== 'SELECT') sql(`${grant} ${account.user}`);
    const failed = capture({ ...target, ...account });
    await expect(failed).rejects.toMatchObject({
      code: 'target',
      message: `cannot capture ${target.database}: ${message}`,
    });
    const { problems } = await postgres.probe({ ...target, ...account }, context);
    expect(problems.map((problem) => problem.message)).toEqual([message]);
  });

  test('by a table that stays locked for too long', async () => {
    const { capture, target } = await place(EVENTS);
    const script = 'BEGIN; LOCK TABLE events IN ACCESS EXCLUSIVE MODE; SELECT 1; SELECT pg_sleep(60);';
    const env = { ...process.env, PGPASSWORD: target.password };
    const argv = ['-X', '-q', '-A', '-t', '-h', target.host ?? '', '-p', String(target.port), '-U', target.user ?? ''];
    const holder = spawn(join(server['bin'] ?? '', 'psql'), [...argv, '-d', target.database, '-f', '-'], {
      env,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    onTestFinished(() => void holder.kill('SIGKILL'));
    holder.stdin.end(script);
    await once(holder.stdout, 'data');
    await expect(capture({ ...target, lockTimeout: '1s' })).rejects.toMatchObject({
      code: 'target',
      message: 'cannot read with pg_dump: a table stayed locked',
    });
  });

  test('by a client that is older than the server', async () => {
    const { capture, target, context } = await place(EVENTS);
    const tools = join(context.workDir, 'old');
    await mkdir(tools);
    await writeFile(join(tools, 'pg_dump'), '#!/bin/sh\necho "pg_dump (PostgreSQL) 13.4"\n', { mode: 0o755 });
    await expect(capture({ ...target, tools })).rejects.toMatchObject({
      code: 'tool',
      message: 'cannot run pg_dump: 13.4 is too old for a server of 15',
    });
  });

  test('by a backend that is ended in the middle of the dump', async () => {
    const { capture, sql } = await place(
      `CREATE TABLE big AS SELECT n, repeat(md5(n::text), 30) AS text FROM generate_series(1, 200000) n;`,
    );
    const failed = expect(capture()).rejects.toMatchObject({
      code: expect.stringMatching(/^(?:tool|target|integrity)$/) as string,
    });
    for (let round = 0; round < 400; round++) {
      const ended = sql(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'bkp' AND query LIKE 'COPY%'",
      );
      if (ended !== '0') break;
      await setTimeout(5);
    }
    await failed;
  });

  test('with a wrong password, and nothing of it is shown', async () => {
    const { capture, target } = await place(EVENTS);
    const failed = capture({ ...target, password: 'canary-password' });
    await expect(failed).rejects.toMatchObject({ code: 'target', hint: 'correct `user` and `password`' });
    await expect(failed).rejects.not.toThrow('canary-password');
  });
});

test('no program shows a password in its arguments or its environment', async () => {
  const { capture, target, context } = await place(EVENTS);
  const bin = join(context.workDir, 'spies');
  await mkdir(bin);
  const log = join(context.workDir, 'seen');
  for (const tool of ['pg_dump']) {
    const real = join(server['bin'] ?? '', tool);
    await writeFile(join(bin, tool), `#!/bin/sh\n{ echo "$@"; env; } >> '${log}'\nexec '${real}' "$@"\n`, {
      mode: 0o755,
    });
  }
  await capture({ ...target, tools: bin });
  const seen = execFileSync('cat', [log], { encoding: 'utf8' });
  expect(seen).toContain('PGPASSFILE=');
  expect(seen).not.toContain(target.password);
});
