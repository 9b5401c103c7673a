import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { postgres } from '../../../src/engines/postgres.ts';
import { connectionOf, servicesToTry } from '../../services/connection.ts';
import { psql } from '../../services/postgres-psql.ts';
import { oneDatabase } from './one-database.ts';

const ROWS =
  'CREATE TABLE t (id serial PRIMARY KEY, v text); INSERT INTO t (v) SELECT n FROM generate_series(1, 50) n;';

afterEach(() => vi.unstubAllEnvs());

/** What a person may have set for psql, all of it wrong here. */
const WRONG = {
  PGHOST: 'nowhere.invalid',
  PGHOSTADDR: '192.0.2.1',
  PGPORT: '1',
  PGUSER: 'nobody',
  PGPASSWORD: 'wrong',
  PGPASSFILE: '/nonexistent/pgpass',
  PGDATABASE: 'none',
  PGSERVICE: 'none',
  PGOPTIONS: '-c nonsense=yes -c search_path=nowhere',
  PGSSLMODE: 'verify-full',
  PGSSLROOTCERT: '/nonexistent/root.crt',
  PGSSLNEGOTIATION: 'direct',
  PGREQUIREAUTH: 'none',
  PGTARGETSESSIONATTRS: 'standby',
  PGCLIENTENCODING: 'SQL_ASCII',
  PGTZ: 'Asia/Tokyo',
  PGDATESTYLE: 'German',
};

describe('the environment of bkp', () => {
  test('says nothing of the way to a server', async () => {
    const { capture, restore, sqlOfCopy } = await oneDatabase(ROWS);
    for (const [name, value] of Object.entries(WRONG)) vi.stubEnv(name, value);
    const taken = await capture();
    expect(taken.facts).toMatchObject({ tables: { 'public.t': 50 } });
    await restore(taken);
    vi.unstubAllEnvs();
    expect(sqlOfCopy('SELECT count(*) FROM t')).toBe('50');
  });

  test('gives no password where the target has none', async () => {
    const { context, target } = await oneDatabase(ROWS);
    vi.stubEnv('PGPASSWORD', target.password ?? '');
    const { password: _password, ...without } = target;
    for (const changes of [{}, { password: '' }]) {
      const { problems } = await postgres.probe({ ...without, ...changes }, context);
      expect(problems).toMatchObject([{ message: expect.stringContaining('password must be') as unknown }]);
    }
  });
});

test('the file with the password is ours alone, whatever the mask, and goes', async () => {
  const { capture, context } = await oneDatabase(ROWS);
  const [bin, log] = [join(context.workDir, 'spies'), join(context.workDir, 'seen')];
  await mkdir(bin);
  const real = join(connectionOf('postgres-15')['bin'] ?? '', 'pg_dump');
  const script = `#!/bin/sh\n[ "$1" = --version ] || { stat -c '%a %u' "$PGPASSFILE"; echo "$PGPASSFILE"; } > '${log}'\nexec '${real}' "$@"\n`;
  await writeFile(join(bin, 'pg_dump'), script, { mode: 0o755 });
  const mask = process.umask(0);
  onTestFinished(() => void process.umask(mask));
  await capture({ tools: bin });
  const [mode, path = ''] = readFileSync(log, 'utf8').split('\n');
  expect(mode).toBe(`600 ${process.getuid?.()}`);
  expect(() => readFileSync(path)).toThrow('ENOENT');
});

test('a dump that gets SIGTERM is none', async () => {
  const { capture, context } = await oneDatabase(
    `CREATE TABLE big AS SELECT n, repeat(md5(n::text), 30) AS v FROM generate_series(1, 200000) n`,
  );
  const bin = join(context.workDir, 'stopped');
  await mkdir(bin);
  const real = join(connectionOf('postgres-15')['bin'] ?? '', 'pg_dump');
  // It is met in the middle: what it writes is far more than what a pipe holds.
  const script = `#!/bin/sh\n[ "$1" = --version ] && exec '${real}' "$@"\n'${real}' "$@" & { sleep 0.2; kill -TERM $!; } 2>/dev/null\nwait $!\n`;
  await writeFile(join(bin, 'pg_dump'), script, { mode: 0o755 });
  await expect(capture({ tools: bin })).rejects.toMatchObject({
    code: 'target',
    message: expect.stringMatching(/^cannot read with pg_dump: exit code/) as unknown,
  });
});

describe.each(servicesToTry('postgres'))('a role with few rights on %s', (service) => {
  const server = connectionOf(service);
  const role = `humble_${process.pid}`;
  const account = { user: role, password: role };

  test.each([
    ['nothing', ''],
    ['the predefined role', `GRANT pg_read_all_data TO ${role}`],
    [
      'every right by itself',
      `GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${role}; GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO ${role}`,
    ],
    ['that, and the object', `GRANT pg_read_all_data TO ${role}; GRANT SELECT ON LARGE OBJECT 77 TO ${role}`],
    ['membership in the owner', `GRANT postgres TO ${role}`],
    ['such a membership that is not inherited', `GRANT postgres TO ${role}; ALTER ROLE ${role} NOINHERIT`],
    [
      'everything but a table of an extension, and views',
      `GRANT SELECT ON t, t_id_seq TO ${role}; GRANT SELECT ON LARGE OBJECT 77 TO ${role}`,
    ],
    ['everything but the sequence', `GRANT SELECT ON t TO ${role}; GRANT SELECT ON LARGE OBJECT 77 TO ${role}`],
  ])('is told what pg_dump would fail for (%s)', async (_name, grants) => {
    const { target, context, sql } = await oneDatabase(
      `${ROWS} SELECT lo_from_bytea(77, 'x'); CREATE EXTENSION citext; CREATE TABLE of_extension (v int);
       ALTER EXTENSION citext ADD TABLE of_extension; CREATE VIEW seen AS TABLE t; CREATE MATERIALIZED VIEW kept AS TABLE t;
       CREATE SCHEMA shut; CREATE FUNCTION shut.f() RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE TYPE shut.e AS ENUM ('a')`,
      service,
    );
    psql(server, 'postgres', `CREATE ROLE ${role} LOGIN PASSWORD '${role}'`);
    onTestFinished(() => void sql(`DROP OWNED BY ${role}; DROP ROLE ${role}`));
    sql(grants);
    const { problems } = await postgres.probe({ ...target, ...account }, context);
    const { host = '', port = '', bin = '' } = server;
    const env = { PGHOST: host, PGPORT: port, PGUSER: role, PGPASSWORD: role, PGDATABASE: target.database };
    const { status } = spawnSync(join(bin, 'pg_dump'), ['-w', '-Fc'], { env, stdio: 'ignore' });
    expect(problems.length === 0, JSON.stringify(problems)).toBe(status === 0);
  });
});

describe.each(servicesToTry('postgres'))('a role with harsh settings on %s', (service) => {
  test('captures and restores all the same', async () => {
    const server = connectionOf(service);
    const { capture, restore, sqlOfCopy } = await oneDatabase(
      `${ROWS} INSERT INTO t (v) SELECT repeat('x', 200) FROM generate_series(1, 50000)`,
      service,
    );
    const role = `hasty_${process.pid}`;
    psql(server, 'postgres', `CREATE ROLE ${role} LOGIN SUPERUSER PASSWORD '${role}'`);
    onTestFinished(() => void psql(server, 'postgres', `DROP ROLE ${role}`));
    const limits = [
      'statement_timeout',
      'lock_timeout',
      'idle_in_transaction_session_timeout',
      ...(Number(server['version']) >= 17 ? ['transaction_timeout'] : []),
    ];
    for (const limit of limits) psql(server, 'postgres', `ALTER ROLE ${role} SET ${limit} = '20ms'`);
    psql(server, 'postgres', `ALTER ROLE ${role} SET default_transaction_read_only = on`);
    // pg_dump itself lives with this one.
    psql(server, 'postgres', `ALTER ROLE ${role} SET idle_session_timeout = '3s'`);
    const account = { user: role, password: role };
    const taken = await capture(account);
    expect(taken.facts).toMatchObject({ tables: { 'public.t': 50_050 } });
    for (const mode of ['new', 'replace', 'merge'] as const) await restore(taken, account, mode);
    expect(sqlOfCopy('SELECT count(*) FROM t')).toBe('50050');
    sqlOfCopy(`ALTER TABLE t OWNER TO CURRENT_USER`);
    psql(server, 'postgres', `REASSIGN OWNED BY ${role} TO CURRENT_USER`);
  });
});
