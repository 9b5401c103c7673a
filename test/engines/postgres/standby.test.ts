import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { PostgresTarget } from '../../../src/engines/postgres/server/connection.ts';
import { postgres } from '../../../src/engines/postgres.ts';
import { startAnother } from '../../services/another-server.ts';
import { type Connection, servicesToTry } from '../../services/connection.ts';
import { psql } from '../../services/postgres-psql.ts';
import { startStandby } from '../../services/postgres-standby.ts';
import type { RunningService } from '../../services/service.ts';
import { testContext } from '../../test-context.ts';
import { fixtureOn } from '../postgres-fixture.ts';
import { newRepository, restore, take } from '../workbench.ts';

const targetOn = (
  { host = '', port, user = '', password = '', bin = '' }: Connection,
  database = 'app',
): PostgresTarget => ({
  type: 'postgres',
  host,
  port: Number(port),
  user,
  password,
  database,
  tools: bin,
});

describe.each(servicesToTry('postgres'))('a standby of %s', (service) => {
  const fixture = fixtureOn(service);
  let folder = '';
  let primary: RunningService;
  let standby: RunningService;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'bkp-standby-'));
    chmodSync(folder, 0o755);
    primary = await startAnother(service, folder);
    psql(primary.connection, 'postgres', 'CREATE DATABASE app');
    psql(
      primary.connection,
      'app',
      'CREATE TABLE t (id serial PRIMARY KEY); INSERT INTO t SELECT FROM generate_series(1, 500)',
    );
    standby = await startStandby(primary.connection, folder);
  });

  afterAll(async () => {
    await standby.stop();
    await primary.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Changes the primary, and waits until the standby has it. */
  async function change(sql: string): Promise<void> {
    psql(primary.connection, 'app', sql);
    const position = psql(primary.connection, 'app', 'SELECT pg_current_wal_lsn()');
    await expect
      .poll(() => psql(standby.connection, 'postgres', `SELECT pg_last_wal_replay_lsn() >= '${position}'`), {
        timeout: 20_000,
      })
      .toBe('t');
  }

  test('is captured, and told to be one', async () => {
    const { context, folder: own } = await testContext();
    await change('INSERT INTO t SELECT FROM generate_series(1, 10)');
    const target = targetOn(standby.connection);
    const { problems, warnings } = await postgres.probe(target, context);
    expect(problems).toEqual([]);
    expect(warnings).toMatchObject([
      {
        message: expect.stringContaining('is a standby') as unknown,
        hint: expect.stringContaining('hot_standby_feedback') as unknown,
      },
    ]);
    const taken = await take(fixture, target, await newRepository(own, context), context);
    expect(taken.facts).toMatchObject({ tables: { 'public.t': 510 } });
    const copy = targetOn(primary.connection, 'copy');
    onTestFinished(() => void psql(primary.connection, 'postgres', 'DROP DATABASE copy'));
    expect(await restore(fixture, taken, copy, 'new', context)).toMatchObject({ facts: taken.facts });
  });

  test('takes no restore', async () => {
    const { context, folder: own } = await testContext();
    const taken = await take(fixture, targetOn(primary.connection), await newRepository(own, context), context);
    for (const [mode, database] of [
      ['new', 'other'],
      ['replace', 'app'],
      ['merge', 'app'],
    ] as const) {
      const destination = targetOn(standby.connection, database);
      await expect(restore(fixture, taken, destination, mode, context)).rejects.toMatchObject({
        code: 'target',
        message: expect.stringContaining('the server is a standby and takes no writes') as unknown,
        hint: 'restore into its primary',
      });
      expect((await postgres.inspectDestination(destination, context)).problems).toMatchObject([
        { hint: 'restore into its primary' },
      ]);
    }
  });

  test('has no rows of unlogged tables', async () => {
    const { context, folder: own } = await testContext();
    await change('CREATE UNLOGGED TABLE cache (v int); INSERT INTO cache VALUES (1)');
    onTestFinished(() => change('DROP TABLE cache'));
    const target = targetOn(standby.connection);
    const repository = await newRepository(own, context);
    const message = 'a standby has no rows of unlogged public.cache';
    expect((await postgres.probe(target, context)).problems).toMatchObject([{ message }]);
    await expect(take(fixture, target, repository, context)).rejects.toThrow(message);
    const without = await take(fixture, { ...target, excludeTables: ['cache'] }, repository, context);
    expect(without.facts).toMatchObject({ tables: { 'public.t': 510 } });
    const onPrimary = await take(
      fixture,
      targetOn(primary.connection),
      await newRepository(join(own, 'p'), context),
      context,
    );
    expect(onPrimary.facts).toMatchObject({ tables: { 'public.cache': 1 } });
  });

  test('that must follow its primary ends a capture, and says what helps', async () => {
    const { context, folder: own } = await testContext();
    await change(`CREATE TABLE big AS SELECT n, repeat(md5(n::text), 30) AS v FROM generate_series(1, 200000) n`);
    psql(standby.connection, 'postgres', `ALTER SYSTEM SET max_standby_streaming_delay = 0`);
    psql(standby.connection, 'postgres', `SELECT pg_reload_conf()`);
    const repository = await newRepository(own, context);
    let isChanged = false;
    const failed = expect(
      take(fixture, targetOn(standby.connection), repository, context, () => {
        if (!isChanged) psql(primary.connection, 'app', 'DROP TABLE big');
        isChanged = true;
      }),
    ).rejects.toMatchObject({
      code: 'target',
      message: expect.stringContaining('conflict with recovery') as unknown,
      hint: expect.stringContaining('max_standby_streaming_delay') as unknown,
    });
    await failed;
    expect(isChanged).toBe(true);
    expect(await repository.list('', 'deep')).toEqual([]);
  });
});
