import fc from 'fast-check';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, onTestFinished, test } from 'vitest';
import { mergeDatabase } from '../../src/engines/sqlite/merge.ts';
import { join } from 'node:path';
import { testFolder } from '../test-context.ts';
import { startApplication } from './application.ts';
import { addUnknownTable, withDatabase } from './sqlite-fixture.ts';
import { makePlace, type Place } from './sqlite-places.ts';

/** Captures, changes the live database, and merges the capture into it. */
async function mergeAfter(place: Place, change: string): Promise<Awaited<ReturnType<Place['restore']>>> {
  const taken = await place.take();
  place.run(change);
  return place.restore(taken, 'merge');
}

describe('rows come back by key', () => {
  test.each([
    ['an integer key', 'CREATE TABLE t (id INTEGER PRIMARY KEY, v)', "(1, 'a'), (2, 'b'), (3, 'c')"],
    ['a text key', 'CREATE TABLE t (id TEXT PRIMARY KEY, v)', "('1', 'a'), ('2', 'b'), ('3', 'c')"],
    ['a key without rowid', 'CREATE TABLE t (id PRIMARY KEY, v) WITHOUT ROWID', "(1, 'a'), (2, 'b'), (3, 'c')"],
    [
      'a composite key',
      'CREATE TABLE t (id, w DEFAULT 0, v, PRIMARY KEY (id, w))',
      "(1, 0, 'a'), (2, 0, 'b'), (3, 0, 'c')",
    ],
    ['a unique column', 'CREATE TABLE t (id NOT NULL UNIQUE, v)', "(1, 'a'), (2, 'b'), (3, 'c')"],
    ['a descending integer key', 'CREATE TABLE t (id INTEGER PRIMARY KEY DESC, v)', "(1, 'a'), (2, 'b'), (3, 'c')"],
    ['a key in another case', 'CREATE TABLE t ("ID" INTEGER, v, PRIMARY KEY (id))', "(1, 'a'), (2, 'b'), (3, 'c')"],
  ])('%s', async (_, schema, values) => {
    const place = await makePlace(schema, `INSERT INTO t VALUES ${values}`);
    const outcome = await mergeAfter(
      place,
      "DELETE FROM t WHERE id IN (1, '1'); UPDATE t SET v = 'mine' WHERE id IN (2, '2')",
    );
    expect(outcome).toMatchObject({ restored: { 'table t': 1 }, conflicts: [], warnings: [] });
    expect(place.rows('SELECT v FROM t ORDER BY id')).toEqual([['a'], ['mine'], ['c']]);
  });

  test('a collation decides what the same key is', async () => {
    const place = await makePlace(
      'CREATE TABLE t (id TEXT COLLATE NOCASE PRIMARY KEY, v)',
      "INSERT INTO t VALUES ('A', 1)",
    );
    const outcome = await mergeAfter(place, "UPDATE t SET id = 'a', v = 2");
    expect(outcome).toMatchObject({ restored: { 'table t': 0 }, conflicts: [] });
    expect(place.rows('SELECT * FROM t')).toEqual([['a', 2]]);
  });

  test('rows with NULL in the key are counted', async () => {
    const place = await makePlace(
      'CREATE TABLE t (id TEXT PRIMARY KEY, v)',
      "INSERT INTO t VALUES (NULL, 1), (NULL, 1), (NULL, 2), ('x', 3)",
    );
    await mergeAfter(place, 'DELETE FROM t WHERE rowid > 1');
    expect(place.rows('SELECT id, v FROM t ORDER BY v')).toEqual([
      [null, 1],
      [null, 1],
      [null, 2],
      ['x', 3],
    ]);
  });

  test('generated columns are left to the database', async () => {
    const place = await makePlace(
      'CREATE TABLE t (id INTEGER PRIMARY KEY, a, b AS (a * 2) STORED, c AS (a + 1))',
      'INSERT INTO t (id, a) VALUES (1, 5), (2, 6)',
    );
    await mergeAfter(place, 'DELETE FROM t WHERE id = 1');
    expect(place.rows('SELECT * FROM t')).toEqual([
      [1, 5, 10, 6],
      [2, 6, 12, 7],
    ]);
  });

  test('ids that were given out once are not given out again', async () => {
    const place = await makePlace(
      'CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT)',
      'INSERT INTO t VALUES (1), (50); DELETE FROM t WHERE id = 50',
    );
    await mergeAfter(place, 'DELETE FROM t; DELETE FROM sqlite_sequence');
    place.run('INSERT INTO t DEFAULT VALUES');
    expect(place.rows('SELECT id FROM t ORDER BY id')).toEqual([[1], [51]]);
  });
});

test('without a key exactly the missing copies come back, told apart by type and bytes', async () => {
  const place = await makePlace(
    'CREATE TABLE t (v COLLATE NOCASE)',
    "INSERT INTO t VALUES (1), (1.0), ('1'), (x'31'), (NULL), (NULL), ('a'), ('A'), ('a'), ('a')",
  );
  const outcome = await mergeAfter(place, "DELETE FROM t WHERE rowid NOT IN (1, 7); INSERT INTO t VALUES ('new')");
  expect(outcome.restored).toEqual({ 'table t': 8 });
  const kinds = place.rows('SELECT typeof(v), hex(v), count(*) FROM t GROUP BY 1, 2 ORDER BY 1, 2');
  expect(kinds).toEqual([
    ['blob', '31', 1],
    ['integer', '31', 1],
    ['null', '', 2],
    ['real', '312E30', 1],
    ['text', '31', 1],
    ['text', '41', 1],
    ['text', '61', 3],
    ['text', '6E6577', 1],
  ]);
});

test('the multiset difference agrees with counting', async () => {
  const folder = await testFolder();
  const value = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constantFrom('a', 'A', '', '1', null, 0.5, 1e300));
  const rows = fc.array(fc.tuple(value, value), { maxLength: 12 });
  let run = 0;
  fc.assert(
    fc.property(rows, rows, (stored, own) => {
      const paths = [join(folder, `stored-${run}.db`), join(folder, `own-${run}.db`)] as const;
      run += 1;
      for (const [at, content] of [stored, own].entries()) {
        withDatabase(paths[at] ?? '', (database) => {
          database.exec('CREATE TABLE t (a, b)');
          const insert = database.prepare('INSERT INTO t VALUES (?, ?)');
          for (const row of content) insert.run(...row);
        });
      }
      mergeDatabase({ path: paths[1], artifact: paths[0], skipConflicts: false, busyTimeoutMs: 0 });
      const found = withDatabase(paths[1], (database) => database.prepare('SELECT a, b FROM t').all());
      const count = (list: readonly (readonly unknown[])[]): Map<string, number> => {
        const counts = new Map<string, number>();
        for (const row of list) counts.set(JSON.stringify(row), (counts.get(JSON.stringify(row)) ?? 0) + 1);
        return counts;
      };
      const expected = count(own);
      for (const [row, copies] of count(stored)) expected.set(row, Math.max(copies, expected.get(row) ?? 0));
      expect(count(found.map((row) => Object.values(row)))).toEqual(expected);
    }),
    { numRuns: 60 },
  );
});

describe('schema objects', () => {
  const schema = `CREATE TABLE t (id INTEGER PRIMARY KEY, v); CREATE TABLE log (m);
    CREATE TRIGGER "tr""1" AFTER INSERT ON t BEGIN INSERT INTO log VALUES ('fired'); END;
    CREATE TRIGGER tr2 BEFORE INSERT ON t WHEN new.v = 'forbidden' BEGIN SELECT raise(ABORT, 'no'); END`;

  test('triggers do not fire, and stay as they were', async () => {
    const place = await makePlace(schema, "INSERT INTO t VALUES (1, 'a'), (2, 'b')", 'DELETE FROM log');
    const triggers = place.rows("SELECT name, tbl_name, sql FROM sqlite_schema WHERE type = 'trigger' ORDER BY name");
    await mergeAfter(place, 'DELETE FROM t');
    expect(place.rows('SELECT count(*) FROM t')).toEqual([[2]]);
    expect(place.rows('SELECT count(*) FROM log')).toEqual([[0]]);
    expect(place.rows("SELECT name, tbl_name, sql FROM sqlite_schema WHERE type = 'trigger' ORDER BY name")).toEqual(
      triggers,
    );
    place.run("INSERT INTO t VALUES (9, 'x')");
    expect(place.rows('SELECT count(*) FROM log')).toEqual([[1]]);
  });

  test('a table that was dropped comes back with its indexes and triggers', async () => {
    const place = await makePlace(
      schema,
      'CREATE INDEX t_v ON t (v)',
      "INSERT INTO t VALUES (1, 'a')",
      'DELETE FROM log',
    );
    const before = place.rows('SELECT type, name, sql FROM sqlite_schema ORDER BY name');
    const outcome = await mergeAfter(place, 'DROP TABLE t');
    expect(outcome.restored).toMatchObject({ 'table t': 1 });
    expect(place.rows('SELECT type, name, sql FROM sqlite_schema ORDER BY name')).toEqual(before);
    expect(place.rows('SELECT count(*) FROM log')).toEqual([[0]]);
  });

  test('a new column keeps its default, a lost one is a conflict', async () => {
    const place = await makePlace('CREATE TABLE t (id INTEGER PRIMARY KEY, v)', "INSERT INTO t VALUES (1, 'a')");
    const taken = await place.take();
    place.run("DELETE FROM t; ALTER TABLE t ADD COLUMN w DEFAULT 'd'");
    await place.restore(taken, 'merge');
    expect(place.rows('SELECT * FROM t')).toEqual([[1, 'a', 'd']]);
    place.run('DELETE FROM t; ALTER TABLE t DROP COLUMN v');
    await expect(place.restore(taken, 'merge')).rejects.toThrow(/columns that are not there any more: v/);
    const skipped = await place.restore(taken, 'merge', { skipConflicts: true });
    expect(skipped.conflicts).toHaveLength(1);
    expect(place.rows('SELECT count(*) FROM t')).toEqual([[0]]);
  });

  test('a view in the place of a table is a conflict', async () => {
    const place = await makePlace('CREATE TABLE t (v)', "INSERT INTO t VALUES ('a')");
    const taken = await place.take();
    place.run("DROP TABLE t; CREATE VIEW t AS SELECT 'mine' AS v");
    await expect(place.restore(taken, 'merge')).rejects.toThrow('table t: a view has its name now');
  });
});

describe('virtual tables', () => {
  test('full-text, R*Tree and index tables', async () => {
    const place = await makePlace(
      `CREATE TABLE doc (id INTEGER PRIMARY KEY, body);
       CREATE VIRTUAL TABLE own USING fts5(body);
       CREATE VIRTUAL TABLE outside USING fts5(body, content='doc', content_rowid='id');
       CREATE VIRTUAL TABLE bare USING fts5(body, content='');
       CREATE VIRTUAL TABLE box USING rtree(id, x0, x1);
       INSERT INTO doc VALUES (1, 'apple pie'), (2, 'pear tart');
       INSERT INTO own (rowid, body) VALUES (1, 'apple pie'), (2, 'pear tart');
       INSERT INTO outside (outside) VALUES ('rebuild'); INSERT INTO bare (rowid, body) VALUES (1, 'apple');
       INSERT INTO box VALUES (1, 0, 1), (2, 5, 6)`,
    );
    const outcome = await mergeAfter(
      place,
      `DELETE FROM doc WHERE id = 2; INSERT INTO outside (outside) VALUES ('rebuild');
       DELETE FROM own WHERE rowid = 2; UPDATE own SET body = 'apple cake' WHERE rowid = 1; DELETE FROM box WHERE id = 2`,
    );
    expect(outcome.warnings).toEqual(['table bare keeps no content of its own: it was left as it is']);
    expect(place.rows("SELECT rowid FROM own WHERE own MATCH 'pear'")).toEqual([[2]]);
    expect(place.rows("SELECT count(*) FROM own WHERE own MATCH 'pie'")).toEqual([[0]]);
    expect(place.rows("SELECT rowid FROM outside WHERE outside MATCH 'pear'")).toEqual([[2]]);
    expect(place.rows('SELECT id FROM box WHERE x0 > 4')).toEqual([[2]]);
    expect(place.rows('PRAGMA integrity_check')).toEqual([['ok']]);
  });

  test('one that was dropped comes back', async () => {
    const place = await makePlace("CREATE VIRTUAL TABLE own USING fts5(body); INSERT INTO own VALUES ('apple pie')");
    await mergeAfter(place, 'DROP TABLE own');
    expect(place.rows("SELECT body FROM own WHERE own MATCH 'pie'")).toEqual([['apple pie']]);
  });

  test('those of an unknown extension stay as they are, with what they keep', async () => {
    const place = await makePlace(
      `CREATE TABLE t (id INTEGER PRIMARY KEY); CREATE TABLE odd_data (id INTEGER PRIMARY KEY, v); INSERT INTO t VALUES (1);
       INSERT INTO odd_data VALUES (1, 'x')`,
    );
    addUnknownTable(place.path);
    const outcome = await mergeAfter(place, 'DELETE FROM t; DELETE FROM odd_data');
    expect(outcome.warnings).toHaveLength(1);
    expect(place.rows('SELECT count(*) FROM t')).toEqual([[1]]);
    expect(place.rows('SELECT count(*) FROM odd_data')).toEqual([[0]]);
  });
});

describe('a database in use', () => {
  test('takes a merge that the application sees at once', async () => {
    const place = await makePlace(
      'PRAGMA journal_mode = WAL',
      'CREATE TABLE t (id INTEGER PRIMARY KEY)',
      'INSERT INTO t VALUES (1), (2)',
    );
    const taken = await place.take();
    const application = new DatabaseSync(place.path);
    onTestFinished(() => application.close());
    application.exec('DELETE FROM t WHERE id = 1');
    await place.restore(taken, 'merge');
    expect(application.prepare('SELECT count(*) AS n FROM t').get()).toEqual({ n: 2 });
  });

  test('that stays locked is left alone', async () => {
    const place = await makePlace('CREATE TABLE t (id INTEGER PRIMARY KEY)', 'INSERT INTO t VALUES (1)');
    const taken = await place.take();
    await startApplication(place.path, "database.exec('DELETE FROM t; BEGIN IMMEDIATE'); console.log('locked')");
    await expect(place.restore(taken, 'merge')).rejects.toMatchObject({
      code: 'target',
      message: expect.stringContaining('another process keeps it locked') as unknown,
    });
  });
});
