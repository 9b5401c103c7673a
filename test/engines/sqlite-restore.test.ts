import { copyFileSync, existsSync, lstatSync, readFileSync, renameSync, statSync } from 'node:fs';
import { chmod, chown, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { sqlite } from '../../src/engines/sqlite.ts';
import { beginSwap, swap } from '../../src/engines/sqlite/swap.ts';
import { startApplication } from './application.ts';
import { makePlace, type Place } from './sqlite-places.ts';
import { namesBelow, SNAPSHOT } from './workbench.ts';

const OPEN = "database.prepare('SELECT * FROM sqlite_schema').all(); console.log('open')";

const tableOf = (mode: string): readonly string[] => [
  `PRAGMA journal_mode = ${mode}`,
  "CREATE TABLE t (v); INSERT INTO t VALUES ('captured')",
];

const liveNames = (place: Place): readonly string[] => namesBelow(dirname(place.path));

describe('a database in use is not replaced', () => {
  test.each(['WAL', 'DELETE'])('%s, by an idle application', async (mode) => {
    const place = await makePlace(...tableOf(mode));
    const taken = await place.take();
    place.run("UPDATE t SET v = 'mine'");
    const application = await startApplication(place.path, OPEN);
    await expect(place.restore(taken, 'replace')).rejects.toMatchObject({
      code: 'guard',
      message: expect.stringContaining(`process ${application.pid} (`) as unknown,
    });
    await application.stop();
    expect(place.rows('SELECT v FROM t')).toEqual([['mine']]);
    await place.restore(taken, 'replace');
    expect(place.rows('SELECT v FROM t')).toEqual([['captured']]);
  });

  test('nor when only its lock is seen, as from another container', async () => {
    const place = await makePlace(...tableOf('WAL'));
    await startApplication(place.path, OPEN);
    expect(await place.context.runJob('sqlite', { call: 'isLocked', input: { path: place.path } })).toBe(true);
    const free = await makePlace(...tableOf('WAL'));
    expect(await free.context.runJob('sqlite', { call: 'isLocked', input: { path: free.path } })).toBe(false);
    expect(liveNames(free)).toEqual(['app.db']);
  });

  test('and the plan says who has it open', async () => {
    const place = await makePlace(...tableOf('WAL'));
    const application = await startApplication(place.path, OPEN);
    const { description } = await sqlite.inspectDestination({ type: 'sqlite', path: place.path }, place.context);
    expect(description).toContain(`open in process ${application.pid}`);
  });
});

describe('what lies beside a database', () => {
  test('a log that lost its database is set aside, never applied', async () => {
    const place = await makePlace(...tableOf('WAL'));
    const taken = await place.take();
    const application = await startApplication(
      place.path,
      "database.exec(\"INSERT INTO t VALUES ('later')\"); console.log('written')",
    );
    await application.stop();
    const log = readFileSync(`${place.path}-wal`);
    await rm(place.path);
    const { keptOld } = await place.restore(taken, 'new');
    expect(place.rows('SELECT v FROM t')).toEqual([['captured']]);
    expect(keptOld).toHaveLength(1);
    const old = keptOld[0]?.reference ?? '';
    expect(readFileSync(`${old}-wal`).equals(log)).toBe(true);
    await sqlite.removeSetAside({ type: 'sqlite', reference: old }, place.context);
    expect(liveNames(place)).toEqual(['app.db']);
  });

  test('the log of a crashed application goes with its database', async () => {
    const place = await makePlace(...tableOf('WAL'));
    const taken = await place.take();
    const application = await startApplication(
      place.path,
      "database.exec(\"INSERT INTO t VALUES ('later')\"); console.log('written')",
    );
    await application.stop();
    const { keptOld } = await place.restore(taken, 'replace');
    expect(place.rows('SELECT v FROM t')).toEqual([['captured']]);
    renameSync(keptOld[0]?.reference ?? '', `${place.path}.again`);
    for (const part of ['-wal', '-shm']) {
      const old = `${keptOld[0]?.reference}${part}`;
      if (existsSync(old)) renameSync(old, `${place.path}.again${part}`);
    }
    const again = { ...place, path: `${place.path}.again` };
    const captured = await sqlite.capture({ type: 'sqlite', path: again.path }, place.context);
    expect(await captured.query?.('SELECT count(*) FROM t')).toBe(2);
    await captured.close();
  });
});

describe('the place keeps its looks', () => {
  test('mode and owner', async () => {
    const place = await makePlace(...tableOf('DELETE'));
    const taken = await place.take();
    await chmod(place.path, 0o640);
    const isRoot = process.getuid?.() === 0;
    if (isRoot) await chown(place.path, 1234, 2345);
    await place.restore(taken, 'replace');
    const { mode, uid, gid } = statSync(place.path);
    expect(mode & 0o7777).toBe(0o640);
    if (isRoot) expect([uid, gid]).toEqual([1234, 2345]);
  });

  test('a new database belongs to the owner of its folder, and to nobody else', async () => {
    const place = await makePlace(...tableOf('DELETE'));
    const taken = await place.take();
    const folder = join(place.folder, 'elsewhere');
    await mkdir(folder);
    const isRoot = process.getuid?.() === 0;
    if (isRoot) await chown(folder, 1234, 2345);
    const path = join(folder, 'app.db');
    await place.restore(taken, 'new', { path });
    const { mode, uid, gid } = statSync(path);
    expect(mode & 0o7777).toBe(0o600);
    if (isRoot) expect([uid, gid]).toEqual([1234, 2345]);
  });

  test('a symbolic link', async () => {
    const place = await makePlace(...tableOf('DELETE'));
    const taken = await place.take();
    const link = join(place.folder, 'link.db');
    await symlink(place.path, link);
    place.run("UPDATE t SET v = 'mine'");
    await place.restore(taken, 'replace', { path: link });
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(place.rows('SELECT v FROM t')).toEqual([['captured']]);
  });
});

describe('a damaged database', () => {
  test.each(['its header', 'its pages'])('(%s) is replaced, and kept as it was', async (part) => {
    const place = await makePlace(...tableOf('DELETE'));
    const taken = await place.take();
    const bytes = readFileSync(place.path);
    bytes.fill(0xff, part === 'its header' ? 0 : 100, part === 'its header' ? 100 : 6000);
    await writeFile(place.path, bytes);
    await expect(place.restore(taken, 'new')).rejects.toMatchObject({ code: 'guard' });
    await expect(place.restore(taken, 'merge')).rejects.toThrow();
    const { keptOld } = await place.restore(taken, 'replace');
    expect(place.rows('SELECT v FROM t')).toEqual([['captured']]);
    expect(readFileSync(keptOld[0]?.reference ?? '').equals(bytes)).toBe(true);
  });

  test('an empty file or an empty database is a free place', async () => {
    const place = await makePlace(...tableOf('DELETE'));
    const taken = await place.take();
    for (const content of ['', 'PRAGMA user_version = 1']) {
      await rm(place.path);
      await writeFile(place.path, '');
      if (content !== '') place.run(content);
      const outcome = await place.restore(taken, 'new');
      expect(outcome.keptOld).toEqual([]);
      expect(place.rows('SELECT v FROM t')).toEqual([['captured']]);
      expect(liveNames(place)).toEqual(['app.db']);
    }
  });
});

describe('a place that cannot take a database', () => {
  test('has no folder', async () => {
    const place = await makePlace(...tableOf('DELETE'));
    const path = join(place.folder, 'missing', 'app.db');
    const taken = await place.take();
    await expect(place.restore(taken, 'new', { path })).rejects.toMatchObject({ code: 'target' });
    const { problems } = await sqlite.inspectDestination({ type: 'sqlite', path }, place.context);
    expect(problems).toHaveLength(1);
  });

  test('is a folder', async () => {
    const place = await makePlace(...tableOf('DELETE'));
    const path = join(place.folder, 'folder.db');
    await mkdir(path);
    const taken = await place.take();
    expect(await sqlite.inspectDestination({ type: 'sqlite', path }, place.context)).toMatchObject({
      state: 'unsuitable',
    });
    for (const mode of ['new', 'replace', 'merge'] as const) {
      await expect(place.restore(taken, mode, { path })).rejects.toMatchObject({ code: 'target' });
    }
  });
});

describe('a replacement that died', () => {
  /** Does the first steps of a replacement and then nothing more, as a killed process would. */
  async function dieAfter(place: Place, steps: number): Promise<void> {
    const staged = join(place.folder, 'staged.db');
    copyFileSync(place.path, staged);
    place.run("UPDATE t SET v = 'mine'");
    await writeFile(`${place.path}-journal`, '');
    const host = { ...place.context.host, pid: 999_999_999 };
    const journal = await beginSwap(place.path, SNAPSHOT, { ...place.context, host });
    const all = [
      () => rename(staged, journal.staged),
      () => rename(place.path, journal.old),
      () => rename(`${place.path}-journal`, `${journal.old}-journal`),
      () => rename(journal.staged, place.path),
    ];
    for (const step of all.slice(0, steps)) await step();
  }

  test.each([0, 1, 2, 3])('after %i moves is undone', async (steps) => {
    const place = await makePlace(...tableOf('DELETE'));
    const taken = await place.take();
    await dieAfter(place, steps);
    const { description } = await sqlite.inspectDestination({ type: 'sqlite', path: place.path }, place.context);
    expect(description).toContain('an interrupted restore is finished or undone first');
    await expect(place.restore(taken, 'new')).rejects.toMatchObject({ code: 'guard' });
    expect(liveNames(place)).toEqual(['app.db', 'app.db-journal']);
    expect(place.rows('SELECT v FROM t')).toEqual([['mine']]);
  });

  test('after the last move is finished, and its old state is not forgotten', async () => {
    const place = await makePlace(...tableOf('DELETE'));
    const taken = await place.take();
    await dieAfter(place, 4);
    place.run("INSERT INTO t VALUES ('after')");
    const { keptOld } = await place.restore(taken, 'replace');
    expect(keptOld.map((old) => old.reference)).toEqual([
      `${place.path}.bkp-old-${SNAPSHOT}.2`,
      `${place.path}.bkp-old-${SNAPSHOT}`,
    ]);
    expect(place.rows('SELECT v FROM t')).toEqual([['captured']]);
  });

  test('and left its place to something new is named, and nothing is moved', async () => {
    const place = await makePlace(...tableOf('DELETE'));
    const taken = await place.take();
    await dieAfter(place, 3);
    place.run("CREATE TABLE t (v); INSERT INTO t VALUES ('newer')");
    const names = liveNames(place);
    await expect(place.restore(taken, 'replace')).rejects.toMatchObject({
      code: 'target',
      hint: expect.stringContaining(`the old database is ${place.path}.bkp-old-${SNAPSHOT}`) as unknown,
    });
    expect(liveNames(place)).toEqual(names);
    expect(place.rows('SELECT v FROM t')).toEqual([['newer']]);
  });

  test('before its journal was whole has done nothing', async () => {
    const place = await makePlace(...tableOf('DELETE'));
    const taken = await place.take();
    await writeFile(`${place.path}.bkp-restore.json`, '{"formatVersion":1,"sta');
    await place.restore(taken, 'replace');
    expect(place.rows('SELECT v FROM t')).toEqual([['captured']]);
  });

  test('is not touched while it lives', async () => {
    const place = await makePlace(...tableOf('DELETE'));
    const taken = await place.take();
    const other = { ...place.context, host: { ...place.context.host, pid: process.ppid } };
    const journal = await beginSwap(place.path, SNAPSHOT, other);
    await expect(place.restore(taken, 'replace')).rejects.toMatchObject({ code: 'guard' });
    copyFileSync(place.path, journal.staged);
    await swap(place.path, journal);
    expect(place.rows('SELECT v FROM t')).toEqual([['captured']]);
  });

  test('of another database is none of its business', async () => {
    const place = await makePlace(...tableOf('DELETE'));
    const taken = await place.take();
    const journal = {
      formatVersion: 1,
      staged: '/etc/passwd',
      old: '/etc/shadow',
      owner: { host: '', bootId: '', pid: 1 },
    };
    await writeFile(`${place.path}.bkp-restore.json`, `${JSON.stringify(journal)}\n`);
    await expect(place.restore(taken, 'replace')).rejects.toMatchObject({ code: 'target' });
    expect(existsSync('/etc/passwd')).toBe(true);
  });
});

test.each(['/etc/passwd', 'app.db.bkp-old-', '/x/app.db.bkp-old-20261119T020000Z-k3x9q2aa/../../y', '/x/app.db-wal'])(
  'nothing named %s is removed',
  async (reference) => {
    const place = await makePlace(...tableOf('DELETE'));
    await expect(sqlite.removeSetAside({ type: 'sqlite', reference }, place.context)).rejects.toMatchObject({
      code: 'target',
    });
  },
);
