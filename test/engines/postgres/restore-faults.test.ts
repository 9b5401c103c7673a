import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import type { IncomingArtifact } from '../../../src/engines/engine.ts';
import { connectAdmin, lockDestination } from '../../../src/engines/postgres/server/admin-session.ts';
import type { ByteSink } from '../../../src/streams/bytes.ts';
import { createContext } from '../../../src/system/create-context.ts';
import { testContext } from '../../test-context.ts';
import { SNAPSHOT } from '../workbench.ts';
import { describeDatabase, dump, type Dump, restore } from './restore-bench.ts';
import { useServer } from './restore-server.ts';
import { takeRichOf } from './take-rich.ts';

const server = useServer('rf_');

beforeEach(server.dropAll);
afterAll(server.dropAll);

/** A small table; what it held when it was taken, and something else since. */
async function takeSmall(): Promise<Awaited<ReturnType<typeof testContext>> & { readonly taken: Dump }> {
  const made = await testContext();
  await server.sql('postgres', `CREATE DATABASE ${server.nameOf('small')}`);
  await server.sql(
    'small',
    `CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT i, repeat('x', 100) FROM generate_series(1, 20000) i`,
  );
  const taken = await dump(server.target('small'), made.context, made.folder);
  await server.sql('small', `DELETE FROM t WHERE id > 5; INSERT INTO t VALUES (-1, 'mine')`);
  return { ...made, taken };
}

const old = `small_bkp_old_${SNAPSHOT}`;
const count = (database: string): Promise<string> => server.sql(database, 'SELECT count(*) FROM t');

describe('a replacement', () => {
  test('goes on under clients that come back at once', async () => {
    const { taken, context } = await takeSmall();
    const { host, port, user, password, database } = server.target('small');
    let stopped = false;
    let lost = 0;
    const seen = new Set<string>();
    const client = async (): Promise<void> => {
      while (!stopped) {
        const connection = new pg.Client({ host, port, user, password, database });
        connection.on('error', () => undefined);
        try {
          await connection.connect();
          for (;;) {
            const { rows } = await connection.query('SELECT count(*)::text AS n FROM t');
            seen.add(rows[0].n);
            if (stopped) break;
            await wait(2);
          }
        } catch {
          lost += 1;
        } finally {
          await connection.end().catch(() => undefined);
        }
      }
    };
    const clients = [client(), client(), client()];
    try {
      while (seen.size === 0) await wait(5);
      await restore(taken, server.target('small'), 'replace', context);
      while (!seen.has('20000')) await wait(5);
    } finally {
      stopped = true;
      await Promise.all(clients);
    }
    expect([...seen].toSorted()).toEqual(['20000', '6']);
    expect(lost).toBeGreaterThan(0);
    expect([await count('small'), await count(old)]).toEqual(['20000', '6']);
  });

  test('is refused where its user may not make or rename a database', async () => {
    const { taken, context } = await takeSmall();
    await server.sql('postgres', `DROP ROLE IF EXISTS rf_small; CREATE ROLE rf_small LOGIN PASSWORD 'rf_small'`);
    const small = server.target('small', 'rf_small');
    await server.sql('small', 'GRANT ALL ON t TO rf_small');
    await expect(restore(taken, small, 'replace', context)).rejects.toMatchObject({ code: 'target' });
    await server.sql('postgres', 'ALTER ROLE rf_small CREATEDB');
    await expect(restore(taken, small, 'replace', context)).rejects.toMatchObject({ code: 'target' });
    expect(await server.databases()).toEqual(['small']);
    expect(await count('small')).toBe('6');
    await server.sql('small', 'DROP OWNED BY rf_small; DROP ROLE rf_small');
  });

  test('by the owner who is no superuser', async () => {
    await server.sql(
      'postgres',
      `DROP ROLE IF EXISTS rf_owner; CREATE ROLE rf_owner LOGIN CREATEDB PASSWORD 'rf_owner'`,
    );
    await server.sql('postgres', `CREATE DATABASE rf_own OWNER rf_owner`);
    const { context, folder } = await testContext();
    await server.sql('own', 'SET ROLE rf_owner; CREATE SCHEMA s; CREATE TABLE s.t AS SELECT 1 AS a');
    const target = server.target('own', 'rf_owner');
    const taken = await dump(target, context, folder);
    await server.sql('own', 'DROP TABLE s.t');
    await restore(taken, target, 'replace', context);
    expect(await server.sql('own', 'SELECT a FROM s.t')).toBe('1');
    await server.dropAll();
    await server.sql('postgres', 'ALTER ROLE rf_owner NOCREATEDB');
    await expect(restore(taken, target, 'new', context)).rejects.toMatchObject({
      code: 'target',
      hint: expect.stringContaining('CREATEDB') as unknown,
    });
    await server.sql('postgres', `CREATE DATABASE rf_own OWNER rf_owner`);
    await restore(taken, target, 'new', context);
    expect(await server.sql('own', 'SELECT a FROM s.t')).toBe('1');
    await server.dropAll();
    await server.sql('postgres', 'DROP ROLE rf_owner');
  });

  test('with a name as long as names can be', async () => {
    const { context, taken: small } = await takeSmall();
    const long = `Łong "${'n'.repeat(40)}ž${'x'.repeat(9)}`;
    await server.sql('postgres', `CREATE DATABASE "${server.nameOf(long).replaceAll('"', '""')}"`);
    expect(Buffer.byteLength(server.nameOf(long))).toBeLessThan(64);
    await restore(small, server.target(long), 'new', context);
    const first = await restore(small, server.target(long), 'replace', context);
    const second = await restore(small, server.target(long), 'replace', context);
    for (const { keptOld } of [first, second]) {
      const name = keptOld[0]?.reference ?? '';
      expect(name).toContain(SNAPSHOT);
      expect(Buffer.byteLength(name)).toBeLessThan(64);
    }
    expect(await server.databases()).toHaveLength(4);
    for (const name of await server.databases()) {
      await server.sql('postgres', `DROP DATABASE "${server.nameOf(name).replaceAll('"', '""')}"`);
    }
  });
});

describe('what the server lacks', () => {
  test('is told at once, with statements, before anything is touched', async () => {
    const { context, folder } = await testContext();
    await server.sql(
      'postgres',
      `CREATE ROLE "rf Gone"; CREATE ROLE rf_granted; CREATE DATABASE rf_roles OWNER "rf Gone"`,
    );
    await server.sql(
      'roles',
      `CREATE TABLE t (a int); ALTER TABLE t OWNER TO "rf Gone"; CREATE TABLE u (a int); GRANT SELECT ON u TO rf_granted;
       CREATE FUNCTION f() RETURNS text LANGUAGE sql AS 'SELECT ''ALTER TABLE t OWNER TO innocent;''::text'`,
    );
    const taken = await dump(server.target('roles'), context, folder);
    await server.dropAll();
    await server.sql('postgres', 'DROP ROLE "rf Gone"; DROP ROLE rf_granted');
    const running = restore(taken, server.target('roles'), 'new', context);
    await expect(running).rejects.toMatchObject({
      code: 'target',
      message: expect.stringContaining('the server lacks role rf Gone, role rf_granted') as unknown,
      hint: expect.stringMatching(/^CREATE ROLE "rf Gone"; CREATE ROLE "rf_granted"; .*`--no-owner`/) as unknown,
    });
    expect(await server.databases()).toEqual([]);
  });
});

/** The first bytes of what an artifact holds, and no error. */
const cut = (artifact: IncomingArtifact, bytes: number): IncomingArtifact => ({
  ...artifact,
  into: (sink) => artifact.into(cutSink(sink, bytes)),
});

function cutSink(sink: ByteSink, bytes: number): ByteSink {
  if (sink.kind !== 'process') return sink;
  const { process } = sink;
  return { ...sink, process: { ...process, argv: ['sh', '-c', `head -c ${bytes} | "$@"`, 'sh', ...process.argv] } };
}

describe('damage', () => {
  test.each(['new', 'replace'] as const)('of an archive leaves everything (%s)', async (mode) => {
    const { taken, context } = await takeSmall();
    const destination = server.target(mode === 'new' ? 'other' : 'small');
    const artifact = taken.artifact(context);
    for (const bytes of [10, 3000, 1_000_000, (artifact.rawBytes ?? 0) - 1]) {
      const running = restore(taken, destination, mode, context, { artifacts: [cut(artifact, bytes)] });
      await expect(running, `${bytes}`).rejects.toMatchObject({
        code: expect.stringMatching(/target|tool|integrity/) as unknown,
      });
      expect(await server.databases()).toEqual(['small']);
    }
    expect(await count('small')).toBe('6');
  });

  test('shows in the facts', async () => {
    const { taken, context } = await takeSmall();
    const expectedFacts = { ...taken.facts, tables: { 'public.t': 20_001 } };
    const running = restore(taken, server.target('small'), 'replace', context, { expectedFacts });
    await expect(running).rejects.toMatchObject({ code: 'integrity' });
    const refused = restore(taken, server.target('small'), 'replace', context, {
      accept: async (query) => {
        expect(await query('SELECT max(id) FROM t')).toBe(20_000);
        throw new Error('not accepted');
      },
    });
    await expect(refused).rejects.toThrow('not accepted');
    expect(await server.databases()).toEqual(['small']);
    expect(await count('small')).toBe('6');
  });
});

describe('an abort', () => {
  test.each(['new', 'replace'] as const)('at any moment leaves everything, or nothing undone (%s)', async (mode) => {
    const { taken, folder } = await takeSmall();
    const outcomes = new Set<string>();
    for (const ms of [0, 20, 60, 120, 180, 240, 320, 400, 600]) {
      const controller = new AbortController();
      const { context, dispose } = await createContext({ workDirParent: folder, signal: controller.signal });
      const running = restore(taken, server.target(mode === 'new' ? 'other' : 'small'), mode, context);
      const timer = setTimeout(() => controller.abort(), ms);
      const result = await running.then(
        () => 'done',
        (error: unknown) => (error as { readonly code: string }).code,
      );
      clearTimeout(timer);
      await dispose();
      outcomes.add(result);
      const expected = { new: { done: ['other', 'small'] }, replace: { done: ['small', old] } }[mode].done;
      expect(await server.databases(), `${ms} ms`).toEqual(result === 'done' ? expected : ['small']);
      if (result === 'done') break;
      expect(result).toBe('interrupted');
      expect(await count('small')).toBe('6');
    }
    expect(outcomes).toContain('interrupted');
  });
});

describe('a restore that died', () => {
  test('is cleaned up by the next one, which touches nobody else', async () => {
    const { taken, context } = await takeSmall();
    const suffix = `_bkp_new_${SNAPSHOT.slice(-8)}`;
    const mark = `bkp restore into ""${server.nameOf('small')}"", unfinished`.replaceAll('""', '"');
    for (const [name, comment] of [
      [`small${suffix}`, mark],
      [`small${suffix}.2`, null],
      [`small${suffix}.3`, null],
      [`other${suffix}`, null],
      ['renamed', mark],
    ] as const) {
      await server.sql('postgres', `CREATE DATABASE "${server.nameOf(name)}"`);
      if (comment !== null)
        await server.sql('postgres', `COMMENT ON DATABASE "${server.nameOf(name)}" IS '${comment}'`);
    }
    await server.sql(`small${suffix}`, 'CREATE TABLE half (a int)');
    await server.sql(`small${suffix}.3`, 'CREATE TABLE mine (a int)');
    await restore(taken, server.target('small'), 'replace', context);
    expect(await server.databases()).toEqual([`other${suffix}`, 'small', `small${suffix}.3`, old]);
    expect(await count('small')).toBe('20000');
  });

  test('is not touched while it lives', async () => {
    const { taken, context } = await takeSmall();
    const holder = await connectAdmin(server.target('small'), context);
    await lockDestination(holder, server.target('small'), context);
    await expect(restore(taken, server.target('small'), 'replace', context)).rejects.toMatchObject({ code: 'guard' });
    const later = restore(taken, server.target('small'), 'replace', context);
    await holder.close();
    await later;
    expect(await server.databases()).toEqual(['small', old]);
  });
});

test('a whole database comes back through a killed and repeated restore', async () => {
  const { taken, before, context } = await takeRichOf(server);
  const controller = new AbortController();
  const running = restore(taken, server.target('rich'), 'replace', context.withSignal(controller.signal));
  setTimeout(() => controller.abort(), 250);
  await running.catch(() => undefined);
  await restore(taken, server.target('rich'), 'replace', context);
  expect(await describeDatabase(server, 'rich')).toBe(before);
});
