import pg from 'pg';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import type { Context } from '../../../src/context.ts';
import { connectAdmin } from '../../../src/engines/postgres/server/admin-session.ts';
import type { PostgresTarget } from '../../../src/engines/postgres/server/connection.ts';
import { inspectPostgresDestination } from '../../../src/engines/postgres/restore/inspect-destination.ts';
import { replaceInPlace } from '../../../src/engines/postgres/restore/replace-in-place.ts';
import { openToolFinder } from '../../../src/engines/postgres/server/tools.ts';
import { createContext } from '../../../src/system/create-context.ts';
import { testContext } from '../../test-context.ts';
import { SNAPSHOT } from '../workbench.ts';
import { describeDatabase, dump, type Dump, restore } from './restore-bench.ts';
import { useServer } from './restore-server.ts';
import { takeRichOf } from './take-rich.ts';

const server = useServer('rp_');

const dropAll = async (): Promise<void> => {
  await server.dropAll();
  await server.sql('postgres', 'DROP ROLE IF EXISTS rp_owner');
};

beforeEach(dropAll);
afterAll(dropAll);

interface Own {
  readonly taken: Dump;
  readonly target: PostgresTarget;
  readonly context: Context;
  readonly folder: string;
}

/** A database whose owner may make no other, beside an extension that is not its own. */
async function takeOwn(): Promise<Own> {
  const { context, folder } = await testContext();
  await server.sql('postgres', `CREATE ROLE rp_owner LOGIN PASSWORD 'rp_owner'`);
  await server.sql('postgres', 'CREATE DATABASE rp_own OWNER rp_owner');
  await server.sql(
    'own',
    `CREATE EXTENSION hstore; SET ROLE rp_owner; CREATE SCHEMA s; CREATE TYPE s.mood AS ENUM ('ok');
     CREATE TABLE s.p (id serial PRIMARY KEY, v text, h public.hstore, m s.mood); INSERT INTO s.p (v) SELECT 'v' || i FROM generate_series(1, 1000) i;
     CREATE TABLE s.c (id int PRIMARY KEY, p int REFERENCES s.p); INSERT INTO s.c SELECT i, i FROM generate_series(1, 100) i;
     CREATE VIEW s.both AS SELECT p.v FROM s.p JOIN s.c ON c.p = p.id; SELECT lo_create(70), lo_put(70, 0, 'abc'); COMMENT ON LARGE OBJECT 70 IS 'it''s; two
-- lines'`,
  );
  const target = server.target('own', 'rp_owner');
  return { taken: await dump(target, context, folder), target, context, folder };
}

const CHANGE = `SET ROLE rp_owner; DELETE FROM s.c; UPDATE s.p SET v = 'changed'; DROP VIEW s.both; ALTER TABLE s.p DROP COLUMN m;
  SELECT lo_unlink(70); SELECT lo_create(70), lo_put(70, 0, 'other'); CREATE FUNCTION s.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'`;

describe('a replacement in place', () => {
  test('of every kind of object gives what was captured', async () => {
    const { taken, before, context } = await takeRichOf(server);
    await server.sql(
      'rich',
      `DELETE FROM app.customers; DROP MATERIALIZED VIEW app.sums CASCADE; ALTER TABLE app.log ADD more int; ALTER TABLE app.customers DISABLE TRIGGER stamp;
       SELECT lo_unlink(4243); SELECT setval('app.lonely', 500); ALTER TYPE app.mood ADD VALUE 'new'; COMMENT ON TABLE app.customers IS 'other'`,
    );
    const destination = server.target('rich');
    const admin = await connectAdmin(destination, context);
    try {
      const { program } = await openToolFinder(destination, context).fitting('pg_restore', 15);
      const request = {
        destination,
        mode: 'replace' as const,
        artifacts: [taken.artifact(context)],
        paths: [],
        skipConflicts: false,
        noOwner: false,
        expectedFacts: taken.facts,
        snapshot: SNAPSHOT,
      };
      const outcome = await replaceInPlace({ request, program, unowned: null }, admin, context);
      expect(outcome).toMatchObject({ facts: taken.facts, keptOld: [], warnings: [] });
      expect(outcome.restored).toMatchObject({ 'table app.orders': 500 });
    } finally {
      await admin.close();
    }
    expect(await describeDatabase(server, 'rich')).toBe(before);
  });

  test('is what an owner gets who may make no database', async () => {
    const { taken, target, context } = await takeOwn();
    const before = await describeDatabase(server, 'own');
    await server.sql('own', CHANGE);
    expect(await inspectPostgresDestination(target, context)).toMatchObject({
      state: 'occupied',
      problems: [],
      replacedInPlace: true,
    });
    expect(await inspectPostgresDestination(server.target('own'), context)).not.toHaveProperty('replacedInPlace');
    await expect(restore(taken, target, 'replace', context)).rejects.toMatchObject({
      message: expect.stringContaining('function s.mine() depends on schema s') as unknown,
    });
    await server.sql('own', 'DROP FUNCTION s.mine()');
    const asked: unknown[] = [];
    const outcome = await restore(taken, target, 'replace', context, {
      accept: async (query) => void asked.push(await query('SELECT count(*) FROM s.c')),
    });
    expect(asked).toEqual([100]);
    expect(outcome.keptOld).toEqual([]);
    expect(await describeDatabase(server, 'own')).toBe(before);
    expect(await server.databases()).toEqual(['own']);
  });

  test.each([
    ['a table', 'CREATE TABLE s.mine (a int)', 'does not have table s.mine'],
    ['a large object', 'SELECT lo_create(71)', 'does not have large object 71'],
    ['a view on it', 'CREATE VIEW public.mine AS SELECT v FROM s.p', 'view public.mine depends on'],
    ['a foreign key to it', 'CREATE TABLE public.mine (p int REFERENCES s.p)', 'does not have table public.mine'],
  ])('changes nothing where %s is there that the snapshot does not have', async (_, sql, message) => {
    const { taken, target, context } = await takeOwn();
    await server.sql('own', `SET ROLE rp_owner; DELETE FROM s.c; ${sql}`);
    const before = await describeDatabase(server, 'own');
    await expect(restore(taken, target, 'replace', context)).rejects.toMatchObject({
      code: 'target',
      message: expect.stringContaining(message) as unknown,
      hint: expect.stringContaining('nothing was changed') as unknown,
    });
    expect(await describeDatabase(server, 'own')).toBe(before);
  });

  test('changes nothing where facts or checks do not hold, or it is aborted', async () => {
    const { taken, target, context, folder } = await takeOwn();
    await server.sql('own', "DELETE FROM s.c; SELECT setval('s.p_id_seq', 5000)");
    const before = await describeDatabase(server, 'own');
    const expectedFacts = { ...taken.facts, largeObjects: 2 };
    await expect(restore(taken, target, 'replace', context, { expectedFacts })).rejects.toMatchObject({
      code: 'integrity',
      message: expect.stringContaining('largeObjects is 1, not 2') as unknown,
    });
    const accept = async (query: (sql: string) => Promise<unknown>): Promise<void> => {
      await expect(query('DELETE FROM s.c RETURNING 1')).rejects.toThrow('read-only');
      throw new Error('not accepted');
    };
    await expect(restore(taken, target, 'replace', context, { accept })).rejects.toThrow('not accepted');
    const controller = new AbortController();
    const { context: aborted, dispose } = await createContext({ workDirParent: folder, signal: controller.signal });
    const stop = async (): Promise<void> => controller.abort();
    const running = restore(taken, target, 'replace', aborted, { accept: stop });
    await expect(running).rejects.toMatchObject({ code: 'interrupted' });
    await dispose();
    expect(await describeDatabase(server, 'own')).toBe(before);
  });

  test('changes nothing where rows were left out of the capture', async () => {
    const { target, context, folder } = await takeOwn();
    const withoutRows = await dump(target, context, folder, ['--exclude-table-data=s.c']);
    const before = await describeDatabase(server, 'own');
    const message = expect.stringContaining('the snapshot was taken without those of s.c') as unknown;
    const changes = { expectedFacts: null };
    await expect(restore(withoutRows, target, 'replace', context, changes)).rejects.toMatchObject({ message });
    const chosen = restore(withoutRows, server.target('own'), 'replace', context, { ...changes, paths: ['s.c'] });
    await expect(chosen).rejects.toMatchObject({ message });
    expect(await describeDatabase(server, 'own')).toBe(before);
    await server.sql('own', 'DELETE FROM s.c');
    await restore(withoutRows, target, 'replace', context, changes);
    expect(await server.sql('own', 'SELECT count(*) FROM s.p')).toBe('1000');
  });

  test('shows others the old state or the new one, and does not wait for ever', async () => {
    const { taken, target, context } = await takeOwn();
    await server.sql('own', `DELETE FROM s.c`);
    const { host, port, user, password, database } = server.target('own');
    const other = new pg.Client({ host, port, user, password, database });
    await other.connect();
    try {
      await other.query('BEGIN; LOCK TABLE s.c IN ACCESS SHARE MODE');
      const slow = restore(taken, { ...target, lockTimeout: '1s' }, 'replace', context);
      await expect(slow).rejects.toMatchObject({
        code: 'target',
        message: expect.stringContaining('lock timeout') as unknown,
      });
      expect((await other.query('SELECT count(*)::int AS n FROM s.c')).rows).toEqual([{ n: 0 }]);
      await other.query('COMMIT');
      let seen: Promise<unknown> = Promise.resolve();
      await restore(taken, target, 'replace', context, {
        accept: async () => {
          seen = other.query('SELECT count(*)::int AS n FROM s.c').then(({ rows }) => rows);
        },
      });
      expect(await seen).toEqual([{ n: 100 }]);
    } finally {
      await other.end();
    }
  });
});
