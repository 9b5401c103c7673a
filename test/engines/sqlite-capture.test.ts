import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { chmod, mkdir, open, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Capture } from '../../src/engines/engine.ts';
import { sqlite } from '../../src/engines/sqlite.ts';
import { startApplication } from './application.ts';
import { runScenario } from './run-scenario.ts';
import { addUnknownTable } from './sqlite-fixture.ts';
import { makePlace, type Place } from './sqlite-places.ts';
import { incoming } from './workbench.ts';

const TABLE = 'CREATE TABLE t (id INTEGER PRIMARY KEY, v)';
const WAL = 'PRAGMA journal_mode = WAL';

const capture = ({ context, path }: Place, busyTimeout = '20s'): Promise<Capture> =>
  sqlite.capture({ type: 'sqlite', path, busyTimeout }, context);

const bytesOf = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');

describe('a live database', () => {
  test('in WAL mode, with frames that are not in the file yet', async () => {
    const place = await makePlace(WAL, TABLE);
    await startApplication(place.path, "database.exec('INSERT INTO t (v) VALUES (1), (2)'); console.log('written')");
    expect(statSync(`${place.path}-wal`).size).toBeGreaterThan(0);
    expect((await place.take()).facts).toMatchObject({ tables: { t: 2 } });
  });

  test('of an application that crashed, without touching what it left', async () => {
    const place = await makePlace(WAL, TABLE);
    const application = await startApplication(
      place.path,
      "database.exec('INSERT INTO t (v) VALUES (1), (2)'); console.log('written')",
    );
    await application.stop();
    const before = [bytesOf(place.path), bytesOf(`${place.path}-wal`)];
    expect((await place.take()).facts).toMatchObject({ tables: { t: 2 } });
    expect([bytesOf(place.path), bytesOf(`${place.path}-wal`)]).toEqual(before);
  });

  test('with a hot journal, as its application would find it', async () => {
    const place = await makePlace('PRAGMA journal_mode = DELETE', TABLE, 'INSERT INTO t (v) VALUES (1)');
    const application = await startApplication(
      place.path,
      `database.exec('PRAGMA cache_size = 1; PRAGMA cache_spill = 1; BEGIN');
       const insert = database.prepare('INSERT INTO t (v) VALUES (?)');
       for (let at = 0; at < 2000; at += 1) insert.run('x'.repeat(500));
       console.log('half-way')`,
    );
    await application.stop();
    expect(existsSync(`${place.path}-journal`)).toBe(true);
    expect((await place.take()).facts).toMatchObject({ tables: { t: 1 } });
  });

  test('without application: no sidecar is left behind, and the file is not written', async () => {
    const place = await makePlace(WAL, TABLE);
    const before = [readdirSync(dirname(place.path)), bytesOf(place.path), statSync(place.path).mtimeMs];
    await place.take();
    expect([readdirSync(dirname(place.path)), bytesOf(place.path), statSync(place.path).mtimeMs]).toEqual(before);
  });

  test.each([WAL, 'PRAGMA journal_mode = DELETE'])(
    'that is written all the time (%s): one moment of it',
    async (mode) => {
      const place = await makePlace(mode, 'CREATE TABLE a (v); CREATE TABLE b (v)');
      await startApplication(
        place.path,
        `database.exec('PRAGMA synchronous = OFF');
       const insert = ['a', 'b'].map((table) => database.prepare('INSERT INTO ' + table + ' VALUES (?)'));
       const write = (at) => {
         database.exec('BEGIN IMMEDIATE');
         for (const one of insert) one.run('x'.repeat(2000));
         database.exec('COMMIT');
         if (at === 200) console.log('writing');
         setImmediate(write, at + 1);
       };
       write(0);`,
      );
      for (let round = 0; round < 3; round += 1) {
        const { tables } = (await place.take()).facts as { readonly tables: Readonly<Record<string, number>> };
        expect(tables['a']).toBeGreaterThan(100);
        expect(tables['a']).toBe(tables['b']);
      }
    },
  );

  test('that is locked is waited for, as long as asked', async () => {
    const place = await makePlace('PRAGMA journal_mode = DELETE', TABLE);
    await startApplication(
      place.path,
      "database.exec('BEGIN EXCLUSIVE'); console.log('locked'); process.stdin.once('data', () => undefined)",
    );
    await expect(capture(place, '1s')).rejects.toMatchObject({
      code: 'target',
      message: expect.stringContaining('another process keeps it locked') as unknown,
    });
    expect(readdirSync(place.context.workDir)).toEqual([]);
    const other = await makePlace('PRAGMA journal_mode = DELETE', TABLE);
    await startApplication(
      other.path,
      "database.exec('BEGIN EXCLUSIVE'); console.log('locked'); setTimeout(() => database.exec('ROLLBACK'), 500)",
    );
    await (await capture(other, '60s')).close();
  });
});

describe('what cannot be captured says why', () => {
  const damaged: Readonly<Record<string, [(place: Place) => Promise<unknown>, RegExp]>> = {
    'no file': [({ path }) => rm(path), /app\.db does not exist/],
    'a folder': [async ({ path }) => rm(path).then(() => mkdir(path)), /is not a regular file/],
    'no byte': [({ path }) => truncate(path), /has no byte/],
    'other content': [({ path }) => writeFile(path, 'x'.repeat(5000)), /is not a SQLite database, or it is encrypted/],
    'a log without its database': [
      async ({ path }) => {
        await startApplication(path, "database.exec('INSERT INTO t (v) VALUES (1)'); console.log('x')");
        await rm(path);
      },
      /is gone, only the log beside it is left/,
    ],
    'a full disk': [
      async ({ path }) => {
        const handle = await open(path, 'r+');
        await handle.truncate(2 ** 43);
        await handle.close();
      },
      /it needs 8\.0 TiB in .*, where .* are free/,
    ],
  };
  test.each(Object.keys(damaged))('%s', async (name) => {
    const place = await makePlace(WAL, TABLE);
    const [damage, reason] = damaged[name] ?? [async () => undefined, /never/];
    await damage(place);
    await expect(capture(place)).rejects.toThrow(reason);
    await expect(capture(place)).rejects.toMatchObject({ code: 'target' });
    expect(readdirSync(place.context.workDir)).toEqual([]);
    if (name === 'a full disk') return;
    const { problems } = await sqlite.probe({ type: 'sqlite', path: place.path }, place.context);
    expect(problems[0]?.message).toMatch(reason);
  });

  test('a damaged page', async () => {
    const place = await makePlace(
      TABLE,
      'CREATE INDEX i ON t (v)',
      `INSERT INTO t (v) VALUES ('${'x'.repeat(500)}'), (2), (3)`,
    );
    const handle = await open(place.path, 'r+');
    await handle.write(Buffer.alloc(100, 0xff), 0, 100, 4096 * 2);
    await handle.close();
    await expect(place.take()).rejects.toMatchObject({ code: 'integrity' });
  });

  test('a folder that cannot be written, in WAL mode', async () => {
    const place = await makePlace(WAL, TABLE);
    const folder = dirname(place.path);
    for (const path of [place.folder, folder, place.context.workDir]) await chmod(path, 0o755);
    await chmod(folder, 0o555);
    const work = join(place.folder, 'work');
    await mkdir(work);
    await chmod(work, 0o777);
    const { code, message } = await runScenario(
      {
        type: 'sqlite',
        target: { type: 'sqlite', path: place.path },
        repository: work,
        workDirParent: work,
        restore: null,
      },
      { asNobody: true },
    );
    await chmod(folder, 0o755);
    expect([code, message]).toEqual(['target', expect.stringContaining('its folder cannot be written')]);
  });

  test('an interrupted restore is named as the reason of a missing file', async () => {
    const place = await makePlace(TABLE);
    await rename(place.path, `${place.path}.gone`);
    await writeFile(`${place.path}.bkp-restore.json`, '{}');
    await expect(capture(place)).rejects.toMatchObject({ hint: expect.stringContaining('run it again') as unknown });
  });
});

describe('facts', () => {
  test('count what is there, and what is wrong with it', async () => {
    const place = await makePlace(
      `CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE "c""1" (p REFERENCES p);
       CREATE VIRTUAL TABLE f USING fts5(x); CREATE VIEW w AS SELECT 1; PRAGMA user_version = 3;
       PRAGMA foreign_keys = 0; INSERT INTO "c""1" VALUES (1), (2)`,
    );
    const { facts } = await place.take();
    expect(facts).toEqual({
      tables: { p: 0, 'c"1': 2 },
      virtualTables: 1,
      foreignKeyViolations: 2,
      userVersion: 3,
      applicationId: 0,
      encoding: 'UTF-8',
      pageSize: 4096,
      pageCount: expect.any(Number) as unknown,
    });
  });

  test('of a database with an extension that is not here', async () => {
    const place = await makePlace(TABLE, 'INSERT INTO t (v) VALUES (1)');
    addUnknownTable(place.path);
    const taken = await place.take();
    expect(taken.facts).toMatchObject({ tables: { t: 1 }, virtualTables: 1 });
    expect((await sqlite.check(incoming(taken, place.context), place.context, {})).facts).toEqual(taken.facts);
  });

  test('of a database whose foreign keys make no sense', async () => {
    const place = await makePlace(
      'PRAGMA foreign_keys = 0; CREATE TABLE p (v); CREATE TABLE c (p REFERENCES p (v)); INSERT INTO c VALUES (1)',
    );
    expect((await place.take()).facts).toMatchObject({ foreignKeyViolations: null });
  });
});

describe('checks', () => {
  const ask = async (place: Place, sql: string): Promise<unknown> => {
    const captured = await capture(place);
    try {
      return await captured.query?.(sql);
    } finally {
      await captured.close();
    }
  };

  test.each([
    ['SELECT count(*) FROM t', 2],
    ['  -- why\n /* because */ with x as (select 1) select v from t, x where id = 2;  -- done', 'two'],
    ['VALUES (NULL)', null],
    ['SELECT 0.5', 0.5],
    ['SELECT 9007199254740993', '9007199254740993'],
  ])('%j is answered', async (sql, value) => {
    const place = await makePlace(TABLE, "INSERT INTO t VALUES (1, 'one'), (2, 'two')");
    expect(await ask(place, sql)).toEqual(value);
  });

  test.each([
    ['DELETE FROM t', 'it is not a SELECT'],
    ['PRAGMA user_version = 3', 'it is not a SELECT'],
    ["ATTACH '/etc/passwd' AS x", 'it is not a SELECT'],
    ['SELECT 1; DROP TABLE t', 'it is more than one statement'],
    ['SELECT v FROM t', 'it returned more than one row'],
    ['SELECT v FROM t WHERE 0', 'it returned no row'],
    ['SELECT 1 AS a, 2 AS b', 'it returned 2 columns'],
    ["SELECT x'00'", 'it returned a blob'],
    ['SELECT missing FROM t', 'no such column'],
    ["SELECT load_extension('/tmp/x')", 'not authorized'],
  ])('%j is refused', async (sql, reason) => {
    const place = await makePlace(TABLE, "INSERT INTO t VALUES (1, 'one'), (2, 'two')");
    await expect(ask(place, sql)).rejects.toThrow(reason);
    expect(place.rows('SELECT count(*) FROM t')).toEqual([[2]]);
  });

  test('nothing writes to the copy', async () => {
    const place = await makePlace(TABLE, "INSERT INTO t VALUES (1, 'one')");
    await expect(ask(place, 'WITH x AS (SELECT 1) DELETE FROM t RETURNING id')).rejects.toThrow(
      /readonly|read-only|not authorized/,
    );
  });
});

test('a copy of the file alone, without its log, would have lost rows', async () => {
  const place = await makePlace(WAL, TABLE);
  await startApplication(place.path, "database.exec('INSERT INTO t (v) VALUES (1), (2)'); console.log('written')");
  const bare = join(place.folder, 'bare.db');
  copyFileSync(place.path, bare);
  const taken = await place.take();
  const restored = join(place.folder, 'restored.db');
  await place.restore(taken, 'new', { path: restored });
  const count = async (path: string): Promise<unknown> => {
    const captured = await sqlite.capture({ type: 'sqlite', path }, place.context);
    const value = await captured.query?.('SELECT count(*) FROM t');
    await captured.close();
    return value;
  };
  expect([await count(bare), await count(restored)]).toEqual([0, 2]);
});
