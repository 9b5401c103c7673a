import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import type { Context } from '../../../src/context.ts';
import type { IncomingArtifact, RestoreMode, RestoreOutcome } from '../../../src/engines/engine.ts';
import { testContext } from '../../test-context.ts';
import { describeDatabase, dump, type Dump, restore } from './restore-bench.ts';
import { useServer } from './restore-server.ts';
import { takeRichOf } from './take-rich.ts';

const server = useServer('pa_');

beforeEach(server.dropAll);
afterAll(server.dropAll);

const SHOP = `CREATE SCHEMA shop; CREATE TYPE shop.mood AS ENUM ('ok', 'bad'); CREATE SCHEMA other;
  CREATE FUNCTION shop.stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.note := ''stamped''; RETURN NEW; END';
  CREATE TABLE shop.people (id serial PRIMARY KEY, name text UNIQUE, mood shop.mood DEFAULT 'ok', note text);
  CREATE TABLE shop.orders (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, person int REFERENCES shop.people ON DELETE CASCADE, v int CHECK (v > 0));
  CREATE INDEX orders_v ON shop.orders (v); COMMENT ON TABLE shop.orders IS 'theirs';
  CREATE TABLE other.notes (id int PRIMARY KEY, o int REFERENCES shop.orders);
  INSERT INTO shop.people (name) SELECT 'p' || i FROM generate_series(1, 10) i; INSERT INTO shop.orders (person, v) SELECT i, i FROM generate_series(1, 10) i;
  INSERT INTO other.notes SELECT i, i FROM generate_series(1, 5) i; CREATE VIEW shop.names AS SELECT name FROM shop.people;
  CREATE TRIGGER stamp BEFORE INSERT ON shop.people FOR EACH ROW EXECUTE FUNCTION shop.stamp(); ALTER TABLE shop.people ENABLE ALWAYS TRIGGER stamp;
  CREATE MATERIALIZED VIEW shop.total AS SELECT sum(v) FROM shop.orders; SELECT lo_create(5)`;

interface Shop {
  readonly taken: Dump;
  readonly context: Context;
  readonly bring: (
    mode: RestoreMode,
    paths: readonly string[],
    changes?: Parameters<typeof restore>[4] & { readonly database?: string },
  ) => Promise<RestoreOutcome>;
}

async function takeShop(): Promise<Shop> {
  const { context, folder } = await testContext();
  await server.sql('postgres', 'CREATE DATABASE pa_shop');
  await server.sql('shop', SHOP);
  const taken = await dump(server.target('shop'), context, folder);
  return {
    taken,
    context,
    bring: (mode, paths, { database = 'shop', ...changes } = {}) =>
      restore(taken, server.target(database), mode, context, {
        paths,
        expectedFacts: null,
        artifactFacts: taken.facts,
        ...changes,
      }),
  };
}

const sql = (text: string): Promise<string> => server.sql('shop', text);
/** An archive is read for its outline, for its definitions, and, where nothing is missing, for its rows. */
const ROWS = 3;
const WAITING = `SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'DELETE FROM shop.people%'`;
const relations = (database: string): Promise<string> =>
  server.sql(
    database,
    `SELECT oid::regclass FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'S') AND oid >= 16384 ORDER BY oid::regclass::text`,
  );

describe('chosen paths into a new place', () => {
  test('come alone, with what they need and what belongs to them', async () => {
    const { bring } = await takeShop();
    const outcome = await bring('new', ['shop.orders'], { database: 'fresh' });
    expect(outcome).toMatchObject({ facts: null, restored: { 'table shop.orders': 10 }, keptOld: [], conflicts: [] });
    expect(outcome.warnings.toSorted()).toEqual([
      'foreign key notes_o_fkey of other.notes was left out: other.notes is not there',
      'foreign key orders_person_fkey of shop.orders was left out: shop.people is not there',
    ]);
    expect(await relations('fresh')).toBe('shop.orders\nshop.orders_id_seq');
    expect(
      await server.sql(
        'fresh',
        `SELECT indexrelid::regclass FROM pg_index WHERE indrelid = 'shop.orders'::regclass ORDER BY 1::text;
         SELECT obj_description('shop.orders'::regclass); INSERT INTO shop.orders (v) VALUES (1) RETURNING id; SELECT count(*) FROM pg_largeobject_metadata`,
      ),
    ).toBe('shop.orders_pkey\nshop.orders_v\ntheirs\n11\n0');
    expect(await server.databases()).toEqual(['fresh', 'shop']);
  });

  test('may be a schema', async () => {
    const { bring } = await takeShop();
    await server.sql('postgres', 'CREATE DATABASE pa_empty');
    const outcome = await bring('new', ['shop'], { database: 'empty' });
    expect(outcome.restored).toEqual({ 'table shop.people': 10, 'table shop.orders': 10 });
    expect(await relations('empty')).toBe(
      'shop.names\nshop.orders\nshop.orders_id_seq\nshop.people\nshop.people_id_seq\nshop.total',
    );
    expect(
      await server.sql('empty', `SELECT * FROM shop.total; SELECT count(*) FROM shop.people WHERE note IS NULL`),
    ).toBe('55\n10');
    expect(await server.databases()).toEqual(['empty', 'shop']);
  });

  test('leave nothing where they do not exist, or lack something', async () => {
    const { bring } = await takeShop();
    for (const [path, hint] of [
      ['shop.order', /near it are .*shop\.orders/],
      ['orders', /near it are .*shop\.orders/],
      ['public.people', /near it are .*shop\.people/],
      ['zzz', /it has /],
    ] as const) {
      await expect(bring('new', [path], { database: 'fresh' }), path).rejects.toMatchObject({
        code: 'not-found',
        hint: expect.stringMatching(hint) as unknown,
      });
    }
    await expect(bring('new', ['a.b.c'], { database: 'fresh' })).rejects.toMatchObject({ code: 'usage' });
    await expect(bring('new', ['shop.names'], { database: 'fresh' })).rejects.toMatchObject({
      code: 'target',
      hint: expect.stringContaining('--path shop.people') as unknown,
    });
    expect(await server.databases()).toEqual(['shop']);
  });
});

describe('chosen paths among what is there', () => {
  test('are made where none of them is', async () => {
    const { bring } = await takeShop();
    await sql('DROP TABLE shop.orders CASCADE; DELETE FROM shop.people WHERE id > 9');
    await expect(bring('new', ['shop.orders', 'shop.people'])).rejects.toMatchObject({
      code: 'guard',
      message: expect.stringContaining('shop.people') as unknown,
    });
    await expect(bring('new', ['shop.orders'])).rejects.toMatchObject({
      code: 'target',
      message: expect.stringContaining('orders_person_fkey') as unknown,
      hint: expect.stringContaining('nothing was changed') as unknown,
    });
    expect(await relations('shop')).not.toContain('shop.orders');
    await sql(`INSERT INTO shop.people (id, name) VALUES (10, 'again')`);
    const outcome = await bring('new', ['shop.orders']);
    expect(outcome.warnings).toEqual([]);
    expect(
      await sql(
        `SELECT conname, convalidated FROM pg_constraint WHERE contype = 'f' ORDER BY 1; SELECT count(*) FROM shop.people`,
      ),
    ).toBe('notes_o_fkey|t\norders_person_fkey|t\n10');
  });

  test('get exactly the captured rows, and nothing else changes', async () => {
    const { bring } = await takeShop();
    await sql(
      `DELETE FROM other.notes; UPDATE shop.orders SET v = 99; INSERT INTO shop.orders (person, v) VALUES (1, 1); DELETE FROM shop.orders WHERE id = 3;
       INSERT INTO shop.people (name) VALUES ('new'); SELECT setval('shop.people_id_seq', 500), setval('shop.orders_id_seq', 2)`,
    );
    const others = await sql('TABLE shop.people ORDER BY id; TABLE other.notes');
    const outcome = await bring('replace', ['shop.orders', 'shop.total']);
    expect(outcome).toMatchObject({ restored: { 'table shop.orders': 10 }, warnings: [] });
    expect(await sql('SELECT count(*), sum(v) FROM shop.orders; SELECT * FROM shop.total')).toBe('10|55\n55');
    expect(await sql('TABLE shop.people ORDER BY id; TABLE other.notes')).toBe(others);
    expect(await sql(`SELECT nextval('shop.orders_id_seq'), nextval('shop.people_id_seq')`)).toBe('11|501');
    expect(await sql(`SELECT tgenabled FROM pg_trigger WHERE tgname = 'stamp'`)).toBe('A');
  });

  test('are rolled back where rows elsewhere would refer to nothing, sequences too', async () => {
    const { bring } = await takeShop();
    await sql(
      `INSERT INTO shop.orders (person, v) VALUES (1, 1), (2, 1); INSERT INTO other.notes VALUES (11, 11), (12, 12); DELETE FROM other.notes WHERE id = 4; DELETE FROM shop.people WHERE id = 4;
       SELECT setval('shop.orders_id_seq', 77)`,
    );
    const before = await describeDatabase(server, 'shop');
    await expect(bring('replace', ['shop.orders'])).rejects.toMatchObject({
      code: 'target',
      message: expect.stringMatching(
        /table other\.notes: 2 rows refer to rows of shop\.orders that are not there \(notes_o_fkey\); table shop\.orders: 1 row refers to rows of shop\.people/,
      ) as unknown,
    });
    const artifactFacts = { tables: { 'shop.people': 11 } };
    await expect(
      bring('replace', ['shop.people', 'shop.orders', 'other.notes'], { artifactFacts }),
    ).rejects.toMatchObject({
      code: 'integrity',
    });
    expect(await describeDatabase(server, 'shop')).toBe(before);
    await bring('replace', ['shop', 'other']);
    expect(await sql('SELECT count(*) FROM shop.people; SELECT count(*) FROM other.notes')).toBe('10\n5');
  });

  test('keep others from taking away what they refer to, until it is done', async () => {
    const { taken, context } = await takeShop();
    const { host, port, user, password, database } = server.target('shop');
    const other = new pg.Client({ host, port, user, password, database });
    await other.connect();
    try {
      let outcome: Promise<string> = Promise.resolve('not tried');
      const tried: string[] = [];
      const artifact = taken.artifact(context);
      let reads = 0;
      const slow: IncomingArtifact = {
        ...artifact,
        async into(sink) {
          reads += 1;
          if (reads === ROWS) {
            outcome = other.query('DELETE FROM shop.people WHERE id = 1').then(() => 'deleted');
            void outcome.then((what) => tried.push(what));
            while (tried.length === 0 && (await sql(WAITING)) === '0') await wait(10);
            tried.push('waits');
          }
          return artifact.into(sink);
        },
      };
      await sql('DELETE FROM other.notes; DELETE FROM shop.orders');
      const chosen = { artifacts: [slow], paths: ['shop.orders'], expectedFacts: null };
      await restore(taken, server.target('shop'), 'replace', context, chosen);
      expect(await outcome).toBe('deleted');
      expect(tried).toEqual(['waits', 'deleted']);
      expect(await sql('SELECT count(*) FROM shop.orders')).toBe('9');
    } finally {
      await other.end();
    }
  });

  test('make again what is missing of them, and refuse rows that do not fit', async () => {
    const { bring } = await takeShop();
    await sql('DROP TABLE shop.orders CASCADE; ALTER TABLE shop.people DROP COLUMN note CASCADE');
    const before = await describeDatabase(server, 'shop');
    await expect(bring('replace', ['shop'])).rejects.toMatchObject({
      code: 'target',
      message: expect.stringContaining('columns that are not there any more, or are computed now: note') as unknown,
    });
    expect(await describeDatabase(server, 'shop')).toBe(before);
    await sql('ALTER TABLE shop.people ADD note text, ADD more int DEFAULT 7');
    const outcome = await bring('replace', ['shop']);
    expect(outcome.restored).toEqual({ 'table shop.people': 10, 'table shop.orders': 10 });
    expect(await sql('SELECT sum(more), count(note) FROM shop.people; SELECT * FROM shop.total')).toBe('70|0\n55');
  });

  test('leave a sequence alone that others use, and need no rights where nothing is to be silenced', async () => {
    const { context, folder } = await testContext();
    await server.sql(
      'postgres',
      `DROP ROLE IF EXISTS pa_owner; CREATE ROLE pa_owner LOGIN PASSWORD 'pa_owner'; CREATE DATABASE pa_own OWNER pa_owner`,
    );
    const own = (text: string): Promise<string> => server.sql('own', `SET ROLE pa_owner; ${text}`);
    await own(`CREATE SCHEMA s; CREATE SEQUENCE s.ids; CREATE TABLE s.a (id int DEFAULT nextval('s.ids'), v text); CREATE TABLE s.b (id int DEFAULT nextval('s.ids'));
      INSERT INTO s.a (v) VALUES ('x'), ('y'); INSERT INTO s.b DEFAULT VALUES`);
    const target = server.target('own', 'pa_owner');
    const taken = await dump(target, context, folder);
    const bring = (mode: RestoreMode): Promise<RestoreOutcome> =>
      restore(taken, target, mode, context, { paths: ['s.a'], expectedFacts: null });
    await own(`INSERT INTO s.b SELECT FROM generate_series(1, 10); UPDATE s.a SET v = 'z'`);
    await bring('replace');
    expect(await own(`SELECT nextval('s.ids'), string_agg(v, '' ORDER BY id) FROM s.a`)).toBe('14|xy');
    await own('DROP TABLE s.a');
    await bring('new');
    expect(await own(`SELECT nextval('s.ids'), string_agg(v, '' ORDER BY id) FROM s.a`)).toBe('15|xy');
    await own('ALTER TABLE s.a ADD PRIMARY KEY (id); CREATE TABLE s.c (a int REFERENCES s.a)');
    await expect(bring('replace')).rejects.toMatchObject({
      hint: 'GRANT SET ON PARAMETER session_replication_role TO "pa_owner"',
    });
    await server.dropAll();
    await server.sql('postgres', 'DROP ROLE pa_owner');
  });

  test('are merged alone', async () => {
    const { bring } = await takeShop();
    await sql(`DELETE FROM other.notes WHERE id = 1; UPDATE shop.orders SET v = 3 WHERE id = 2; DELETE FROM other.notes WHERE id > 2;
      DELETE FROM shop.orders WHERE id > 5; DROP VIEW shop.names; SELECT lo_unlink(5), setval('shop.orders_id_seq', 1), setval('shop.people_id_seq', 1)`);
    const outcome = await bring('merge', ['shop.orders', 'shop.names']);
    expect(outcome.restored).toEqual({ 'table shop.orders': 5 });
    expect(
      await sql(
        `SELECT count(*), max(v) FILTER (WHERE id = 2) FROM shop.orders; SELECT count(*) FROM other.notes; SELECT count(*) FROM shop.names;
         SELECT count(*) FROM pg_largeobject_metadata; SELECT nextval('shop.orders_id_seq'), nextval('shop.people_id_seq')`,
      ),
    ).toBe('10|3\n1\n10\n0\n11|2');
  });
});

describe('single relations of a rich database', () => {
  test('keep what stands before them in the archive', async () => {
    const { context, folder } = await testContext();
    await server.sql('postgres', 'CREATE DATABASE pa_ways');
    await server.sql(
      'ways',
      `CREATE ACCESS METHOD heap_again TYPE TABLE HANDLER heap_tableam_handler; CREATE TABLE a (v int); CREATE TABLE b (v int) USING heap_again; CREATE TABLE c (v int)`,
    );
    const taken = await dump(server.target('ways'), context, folder);
    await server.sql('ways', 'DROP TABLE b; DROP TABLE c');
    for (const path of ['public.b', 'public.c'])
      await restore(taken, server.target('ways'), 'new', context, { paths: [path], expectedFacts: null });
    const ways = `SELECT relname, amname FROM pg_class c JOIN pg_am a ON a.oid = relam WHERE relname IN ('b', 'c') ORDER BY 1`;
    expect(await server.sql('ways', ways)).toBe('b|heap_again\nc|heap');
  });

  test('come into a new one, each alone', async () => {
    const { taken, context } = await takeRichOf(server);
    const bring = (database: string, ...paths: readonly string[]): Promise<RestoreOutcome> =>
      restore(taken, server.target(database), 'new', context, { paths, expectedFacts: null });
    for (const [path, count] of [
      ['app.customers', '3'],
      ['app.measures', '365'],
      ['app.measures_a', '180'],
      ['app.cats', '2'],
      ['app.visits_eu', '40'],
      ['"Odd Schema"', '3'],
    ] as const) {
      await bring('one', path);
      const table = path === '"Odd Schema"' ? '"Odd Schema"."Odd ""Table"""' : path;
      expect(await server.sql('one', `SELECT count(*) FROM ${table}`), path).toBe(count);
      await server.sql('postgres', 'DROP DATABASE pa_one');
    }
  });

  test('whole schemas give all that is in them', async () => {
    const { taken, before, context } = await takeRichOf(server);
    await server.sql('postgres', 'CREATE DATABASE pa_all');
    const paths = ['app', '"Odd Schema"'];
    await restore(taken, server.target('all'), 'new', context, { paths, expectedFacts: null });
    const made = new Set((await describeDatabase(server, 'all')).split('\n'));
    const lost = before
      .split('\n')
      .filter(
        (line) =>
          /^CREATE (?:TABLE|VIEW|INDEX|FUNCTION|TYPE|TRIGGER|SEQUENCE|POLICY|RULE|MAT)/.test(line) && !made.has(line),
      );
    expect(lost).toEqual([]);
    await server.sql(
      'rich',
      'DELETE FROM app.orders; ALTER TABLE app.log REPLICA IDENTITY FULL; UPDATE app.log SET line = line || 1; ALTER TABLE app.log REPLICA IDENTITY DEFAULT; DROP TABLE app.measures CASCADE',
    );
    await restore(taken, server.target('rich'), 'replace', context, { paths, expectedFacts: null });
    const lines = (text: string): readonly string[] =>
      text
        .split('\n')
        .filter((line) => !line.startsWith('--'))
        .toSorted();
    const again = lines(await describeDatabase(server, 'rich'));
    expect(lines(before).filter((line) => !again.includes(line))).toEqual([]);
  });
});
