import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { mysql } from '../../../src/engines/mysql.ts';
import { judgeDump } from '../../../src/engines/mysql/capture/judge-dump.ts';
import { openOptionsFile } from '../../../src/engines/mysql/server/options-file.ts';
import { mysqlClient } from '../../services/mysql-client.ts';
import { mysqlFixture } from '../mysql-fixture.ts';
import { incoming, restore, take } from '../workbench.ts';
import { rows, SCHEMA } from './conformance-schema.ts';
import { type OneDatabase, oneDatabase } from './one-database.ts';

const TABLES = `CREATE TABLE a (n int PRIMARY KEY, pad text); CREATE TABLE b (n int) ENGINE=MyISAM;
  INSERT INTO a VALUES (1, 'x'), (2, 'y'); INSERT INTO b VALUES (1);`;

describe('a user with few rights', () => {
  it('is told what is missing, and captures with it', async () => {
    const bench = await oneDatabase(`${TABLES} CREATE VIEW v AS SELECT n FROM a; CREATE PROCEDURE p() SELECT 1;`);
    const user = bench.target.database.replace('shop', 'dump');
    const admin = (sql: string): string => mysqlClient(bench.connection, null, sql);
    admin(
      `CREATE USER ${user}@'%' IDENTIFIED BY 'pass#"\\\\ word'; GRANT SELECT ON \`${bench.target.database}\`.a TO ${user}@'%'`,
    );
    const target = { ...bench.target, user, password: 'pass#"\\ word' };
    const { problems } = await mysql.probe(target, bench.context);
    expect(problems).toEqual([
      {
        message: `the user may not SELECT, SHOW VIEW, TRIGGER, EVENT on database ${target.database}`,
        hint: `\`GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON \`${target.database}\`.* TO \`${user}\`@\`%\`\``,
      },
    ]);
    await expect(mysql.capture(target, bench.context)).rejects.toMatchObject({ code: 'target' });
    admin(
      `GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, EXECUTE ON \`${target.database.replaceAll('_', '\\_')}\`.* TO ${user}@'%'`,
    );
    expect((await mysql.probe(target, bench.context)).problems).toEqual([]);
    // The body of a procedure is for its owner and for administrators: the program fails, rather than leave it out.
    await expect(bench.take(target)).rejects.toMatchObject({
      code: expect.stringMatching(/^(?:target|tool)$/) as unknown,
    });
    admin(`GRANT SELECT ON mysql.* TO ${user}@'%'`);
    expect((await bench.take(target)).facts).toMatchObject({ tables: { a: 2, b: 1 }, views: 1, routines: 1 });
  });
});

describe('with a lock', () => {
  it('writers wait, and the server counts what the dump holds', async () => {
    const bench = await oneDatabase(TABLES);
    const capture = await mysql.capture({ ...bench.target, lock: true }, bench.context);
    const insert = bench.hold('INSERT INTO b VALUES (2)');
    expect(await capture.facts()).toMatchObject({ tables: { a: 2, b: 1 } });
    expect(await capture.query?.('SELECT COUNT(*) FROM b')).toBe(1);
    expect(capture.pointInTime[0]).toEqual(capture.pointInTime[1]);
    await capture.close();
    await insert.ready;
    expect(bench.ask('SELECT COUNT(*) FROM b')).toBe('2');
  });

  it('gives up on a table that somebody keeps', async () => {
    const bench = await oneDatabase(TABLES);
    const holder = bench.hold('LOCK TABLES a WRITE');
    await holder.ready;
    const target = { ...bench.target, lock: true, lockTimeout: '1s' } as const;
    await expect(mysql.capture(target, bench.context)).rejects.toMatchObject({
      code: 'target',
      hint: 'see who holds it, or raise `lockTimeout`',
    });
    expect(await readdir(bench.context.workDir)).toEqual([]);
  });
});

describe('what a dump cannot hold', () => {
  it('is a problem: views that nobody can read', async () => {
    const bench = await oneDatabase(`${TABLES} CREATE VIEW broken AS SELECT n FROM a; DROP TABLE a;`);
    expect((await mysql.probe(bench.target, bench.context)).problems).toMatchObject([
      { message: 'views that nobody can read: broken' },
    ]);
    await expect(bench.take()).rejects.toMatchObject({ code: 'target' });
  });

  it('fails where a table changed meanwhile, and where a connection was lost', () => {
    const end = (stderr: string, exitCode = 3) => ({ exitCode, signal: null, stderr, stopped: false }) as const;
    const changed =
      'mariadb-dump: Error 1412: Table definition has changed, please retry transaction when dumping table `a` at row: 0\n';
    expect(judgeDump(end(changed))).toMatchObject({
      verdict: 'failed',
      hint: 'a table was changed while it was dumped: capture again when that has ended',
    });
    const lost = 'mysqldump: Error 2013: Lost connection to server during query when dumping table `a` at row: 17\n';
    expect(judgeDump(end(lost))).toMatchObject({
      verdict: 'failed',
      reason: expect.stringContaining('2013: Lost connection') as unknown,
    });
    expect(judgeDump(end('', 2))).toEqual({ verdict: 'failed', reason: 'exit code 2' });
    expect(judgeDump(end('-- Warning: column statistics not supported\n', 0))).toMatchObject({ verdict: 'ok' });
  });

  it('fails when a table is changed before its turn', async () => {
    const bench = await oneDatabase(`${SCHEMA} CREATE TABLE z (n int); INSERT INTO z VALUES (1); ${rows(100_000)}`);
    let isChanged = false;
    // While this runs nobody takes what the program writes, so that it gets no further than the first tables.
    const change = (): void => {
      if (!isChanged) bench.ask('ALTER TABLE z ADD COLUMN m int FIRST, FORCE');
      isChanged = true;
    };
    const taking = take(mysqlFixture, bench.target, bench.repository, bench.context, change);
    await expect(taking).rejects.toMatchObject({
      code: 'target',
      hint: 'a table was changed while it was dumped: capture again when that has ended',
    });
    expect(await bench.repository.list('', 'deep')).toEqual([]);
  });

  it('fails when its session is killed', async () => {
    const bench = await oneDatabase(
      `CREATE TABLE a (n int PRIMARY KEY AUTO_INCREMENT, pad longblob); INSERT INTO a (pad) SELECT REPEAT(SHA2(seq, 512), 8000) FROM seq_1_to_60`,
    );
    const kill = (): void => {
      const sql = `SELECT CONCAT('KILL ', ID, ';') FROM information_schema.PROCESSLIST WHERE DB = '${bench.target.database}' AND INFO LIKE '%FROM \`a\`%' AND ID <> CONNECTION_ID()`;
      for (const line of bench.ask(sql).split('\n').filter(Boolean)) bench.ask(line);
    };
    const taking = take(mysqlFixture, bench.target, bench.repository, bench.context, kill);
    await expect(taking).rejects.toMatchObject({
      code: expect.stringMatching(/^(?:target|tool|integrity)$/) as unknown,
    });
    expect(await bench.repository.list('', 'deep')).toEqual([]);
  });
});

describe('while applications write', () => {
  it('a dump is one moment of all transactions', async () => {
    const bench = await oneDatabase(`CREATE TABLE a (n int); CREATE TABLE filler (t longtext); CREATE TABLE z (n int);
      INSERT INTO a VALUES (1000); INSERT INTO z VALUES (1000); INSERT INTO filler SELECT REPEAT('x', 100000) FROM seq_1_to_200;
      DELIMITER ;;
      CREATE PROCEDURE churn() BEGIN
        LOOP START TRANSACTION; UPDATE a SET n = n - 1; UPDATE z SET n = n + 1; COMMIT; END LOOP;
      END;;
      DELIMITER ;`);
    const writer = bench.hold("SELECT 'begun'; CALL churn()");
    await writer.ready;
    const before = Number(bench.ask('SELECT n FROM z'));
    for (let round = 0; round < 3; round += 1) {
      const taken = await bench.take();
      const destination = { ...bench.elsewhere, database: `${bench.elsewhere.database}_${round}` };
      await bench.restore(taken, 'new', { destination });
      expect(bench.ask('SELECT a.n + z.n FROM a, z', destination.database)).toBe('2000');
    }
    expect(Number(bench.ask('SELECT n FROM z'))).toBeGreaterThan(before);
    writer.release();
    // The server goes on with a procedure whose client has gone.
    for (const id of bench
      .ask(`SELECT ID FROM information_schema.PROCESSLIST WHERE DB = DATABASE() AND ID <> CONNECTION_ID()`)
      .split('\n')
      .filter(Boolean))
      bench.ask(`KILL ${id}`);
  });
});

describe('programs', () => {
  it('of the other family are refused: they lose what only this one has', async () => {
    const bench = await oneDatabase(TABLES);
    const folder = join(bench.context.workDir, 'tools');
    await mkdir(folder);
    for (const name of ['mysqldump', 'mysql']) {
      await writeFile(join(folder, name), `#!/bin/sh\necho "${name}  Ver 9.7.4 for Linux on x86_64 (Debian)"\n`);
      await chmod(join(folder, name), 0o755);
    }
    const { problems } = await mysql.probe({ ...bench.target, tools: folder }, bench.context);
    expect(problems).toEqual([
      {
        message: `cannot run mariadb-dump for MariaDB 10.11.19: ${folder}/mysqldump is that of MySQL`.replace(
          '10.11.19',
          versionOf(bench),
        ),
        hint: 'install the client programs of MariaDB, or name their folder under `tools`',
      },
    ]);
  });

  it('find their server and the password in a file that nobody else may read, and nowhere else', async () => {
    const bench = await oneDatabase('');
    const password = 'a "b" \\c #d';
    const file = await openOptionsFile({ ...bench.target, password }, 'mariadb', false, bench.context);
    const path = file.argument.replace('--defaults-file=', '');
    expect(await readFile(path, 'utf8')).toContain(String.raw`password="a \"b\" \\c #d"`);
    expect((await bench.context.run({ argv: ['stat', '-c', '%a', path] })).stdout).toBe('600\n');
    await file.close();
    const capture = await mysql.capture(bench.target, bench.context);
    expect(JSON.stringify(capture.artifacts)).not.toContain(bench.target.password);
    await capture.close();
    expect(await readdir(bench.context.workDir)).toEqual([]);
  });
});

describe('several databases of a server', () => {
  it('are one dump each, with the users, and come back', async () => {
    const bench = await oneDatabase(TABLES);
    const { database } = bench.target;
    const other = bench.elsewhere.database;
    const user = database.replace('shop', 'app');
    bench.ask(`CREATE DATABASE ${other}; CREATE TABLE ${other}.c (n int); INSERT INTO ${other}.c VALUES (1), (2), (3);
      CREATE USER ${user}@'%' IDENTIFIED BY 'secret word'; GRANT SELECT ON \`${other}\`.* TO ${user}@'%'; CREATE ROLE ${user}_role; GRANT ${user}_role TO ${user}@'%'`);
    const { database: _, ...server } = bench.target;
    const target = { ...server, databases: [database, other], globals: true, lock: true };
    const taken = await take(mysqlFixture, target, bench.repository, bench.context);
    expect(taken.facts).toMatchObject({ tables: { [database]: { a: 2, b: 1 }, [other]: { c: 3 } } });
    expect(taken.artifacts.map(({ name, format }) => [name, format])).toEqual([
      ['users', 'mysql-users'],
      [database, 'mysql-dump'],
      [other, 'mysql-dump'],
    ]);
    expect((await mysql.check(incoming(taken, bench.context), bench.context, target)).facts).toMatchObject({
      views: { [other]: 0 },
    });
    bench.ask(`DROP DATABASE ${other}; DROP USER ${user}@'%'; DROP ROLE ${user}_role; DROP TABLE a`);
    const outcome = await restore(mysqlFixture, taken, target, 'replace', bench.context);
    expect(outcome).toMatchObject({ conflicts: [], restored: { users: 2, [`${other}: table c`]: 3 } });
    expect(bench.ask('SELECT COUNT(*) FROM a')).toBe('2');
    const again = { ...bench.connection, user, password: 'secret word' };
    expect(mysqlClient(again, other, 'SELECT COUNT(*) FROM c')).toBe('3');
  });

  it('all of them, but those of the server, of restores, and those that are left out', async () => {
    const bench = await oneDatabase(TABLES);
    const { database, ...server } = bench.target;
    bench.ask(
      `CREATE DATABASE ${database}_bkp_old_20261119T020000Z_x; CREATE DATABASE \`${database}_bkp_old_20261119T020000Z-k3x9q2aa\``,
    );
    const names = (await mysql.capture({ ...server, databases: 'all' }, bench.context)).artifacts.map(
      ({ name }) => name,
    );
    expect(names).toContain(database);
    expect(names).not.toContain('mysql');
    expect(names).not.toContain(`${database}_bkp_old_20261119T020000Z-k3x9q2aa`);
    const left = { ...server, databases: 'all', excludeDatabases: [`${database}*`] } as const;
    const capture = await mysql.capture(left, bench.context).catch(() => null);
    expect(capture?.artifacts.map(({ name }) => name) ?? []).not.toContain(database);
    await capture?.close();
  });
});

describe('a dump', () => {
  it('names no database, so that it comes back under any name', async () => {
    const bench = await oneDatabase(TABLES);
    const taken = await bench.take();
    const path = bench.repository.localPath(taken.artifacts[0]?.key ?? '') ?? '';
    const statements = zstdDecompressSync(await readFile(path))
      .toString('utf8')
      .replaceAll(/^--.*$/gm, '');
    expect(statements).not.toContain(bench.target.database);
  });
});

const versionOf = (bench: OneDatabase): string => /[\d.]+/.exec(bench.ask('SELECT VERSION()'))?.[0] ?? '';
