import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mysql } from '../../../src/engines/mysql.ts';
import { mysqlClient } from '../../services/mysql-client.ts';
import { describeDatabase } from './digest.ts';
import { dumpOf, END, oneDatabase, requestOf } from './one-database.ts';

describe('who runs views, triggers and routines', () => {
  const OWNED = `CREATE TABLE t (a int); INSERT INTO t VALUES (1); CREATE VIEW v AS SELECT a FROM t; CREATE PROCEDURE p() SELECT 1;
    CREATE TRIGGER r BEFORE INSERT ON t FOR EACH ROW SET NEW.a = NEW.a + 1; CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO DELETE FROM t;`;

  it('must be allowed to be named, or is left out with --no-owner', async () => {
    const bench = await oneDatabase(OWNED);
    const taken = await bench.take();
    const user = bench.target.database.replace('shop', 'low');
    mysqlClient(
      bench.connection,
      null,
      `CREATE USER ${user}@'%' IDENTIFIED BY 'low'; GRANT ALL ON \`${bench.elsewhere.database}\`.* TO ${user}@'%'`,
    );
    const destination = { ...bench.elsewhere, user, password: 'low' };
    await expect(bench.restore(taken, 'new', { destination })).rejects.toMatchObject({
      code: 'target',
      message: `cannot restore database ${destination.database}: views, triggers, routines or events run as tester@%, and user ${user}@% may not make such`,
      hint: expect.stringContaining('--no-owner') as unknown,
    });
    expect(await mysql.inspectDestination(destination, bench.context)).toMatchObject({ state: 'absent' });
    await bench.restore(taken, 'new', { destination, noOwner: true });
    const definers = bench.ask(
      `SELECT DEFINER FROM information_schema.VIEWS WHERE TABLE_SCHEMA = DATABASE() UNION ALL
       SELECT DEFINER FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = DATABASE() UNION ALL
       SELECT DEFINER FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE() UNION ALL
       SELECT DEFINER FROM information_schema.EVENTS WHERE EVENT_SCHEMA = DATABASE()`,
      destination.database,
    );
    expect(definers).toBe(Array.from({ length: 4 }, () => `${user}@%`).join('\n'));
  });

  it('must be there', async () => {
    const bench = await oneDatabase(OWNED);
    const user = bench.target.database.replace('shop', 'gone');
    bench.ask(`CREATE USER ${user}@localhost; CREATE DEFINER=${user}@localhost VIEW w AS SELECT 1 AS one`);
    const taken = await bench.take();
    bench.ask(`DROP USER ${user}@localhost`);
    await expect(bench.restore(taken, 'new', { destination: bench.elsewhere })).rejects.toMatchObject({
      message: expect.stringContaining(`run as ${user}@localhost, who is not there`) as unknown,
      hint: expect.stringContaining(`CREATE USER \`${user}\`@\`localhost\``) as unknown,
    });
    await bench.restore(taken, 'new', { destination: bench.elsewhere, noOwner: true });
    expect(bench.ask('SELECT one FROM w', bench.elsewhere.database)).toBe('1');
  });
});

describe('a dump is refused before anything is touched', () => {
  const ROWS = 'CREATE TABLE `t` (\n  `a` varchar(40) UNIQUE\n) COLLATE=utf8mb4_general_ci;\n';

  it.each([
    [
      'that needs a collation of others',
      ROWS.replace('utf8mb4_general_ci', 'utf8mb4_0900_ai_ci'),
      'target',
      'does not know collation utf8mb4_0900_ai_ci',
    ],
    ['that selects a database', `USE \`mysql\`;\n${ROWS}`, 'integrity', 'it selects or makes a database of its own'],
    [
      'that makes a database',
      `CREATE DATABASE /*!32312 IF NOT EXISTS*/ \`x\`;\n${ROWS}`,
      'integrity',
      'it selects or makes a database of its own',
    ],
    [
      'that writes into another database',
      `${ROWS}INSERT INTO \`mysql\`.\`t\` VALUES (1);\n`,
      'integrity',
      'it selects or makes a database of its own',
    ],
    ['that goes on after its end', `${ROWS}${END}${ROWS}`, 'integrity', 'it goes on after its end mark'],
  ])('%s', async (_, text, code, message) => {
    const bench = await oneDatabase('');
    const { database } = bench.elsewhere;
    const request = { ...requestOf(bench.elsewhere, 'new'), artifacts: [dumpOf(text + END)] };
    const refused = { code, message: expect.stringContaining(message) as unknown };
    await expect(mysql.restore(request, bench.context)).rejects.toMatchObject(refused);
    if (code === 'integrity')
      await expect(mysql.check(request.artifacts, bench.context, {})).rejects.toMatchObject(refused);
    expect(mysqlClient(bench.connection, null, 'SHOW DATABASES')).not.toContain(database);
  });

  it('or cleared away, without a word of its rows, where the server refuses one', async () => {
    const bench = await oneDatabase('');
    const text = `${ROWS}INSERT INTO \`t\` VALUES ('my secret'),('my secret');\n${END}`;
    const request = { ...requestOf(bench.elsewhere, 'new'), artifacts: [dumpOf(text)] };
    const failed = await mysql.restore(request, bench.context).catch((error: unknown) => error);
    expect(failed).toMatchObject({
      code: 'target',
      message: "cannot restore with the client: Duplicate entry for key 'a'",
    });
    expect(mysqlClient(bench.connection, null, 'SHOW DATABASES')).not.toContain(bench.elsewhere.database);
  });

  it('that begins with the line for clients alone goes through, and so does one without', async () => {
    const bench = await oneDatabase('');
    for (const [index, first] of ['/*M!999999\\- enable the sandbox mode */ \n', ''].entries()) {
      const destination = { ...bench.elsewhere, database: `${bench.elsewhere.database}_${index}` };
      const artifacts = [dumpOf(`${first}-- MariaDB dump\n${ROWS}INSERT INTO \`t\` VALUES ('x');\n${END}`)];
      await mysql.restore({ ...requestOf(destination, 'new'), artifacts }, bench.context);
      expect(bench.ask('SELECT a FROM t', destination.database)).toBe('x');
    }
  });
});

describe('a client that does not know the line for clients alone', () => {
  it('never sees it', async () => {
    const bench = await oneDatabase('');
    const folder = join(bench.context.workDir, 'old-tools');
    await mkdir(folder);
    await writeFile(
      join(folder, 'mariadb'),
      `#!/bin/sh
case "$*" in *--version*) echo 'mariadb  Ver 15.1 Distrib 10.11.6-MariaDB, for debian-linux-gnu (x86_64)'; exit;; esac
IFS= read -r first
case "$first" in *M!999999*) echo "ERROR at line 1: Unknown command '\\-'." >&2; exit 1;; esac
{ printf '%s\\n' "$first"; cat; } | /usr/bin/mariadb "$@"
`,
    );
    await chmod(join(folder, 'mariadb'), 0o755);
    const artifacts = [
      dumpOf(`/*M!999999\\- enable the sandbox mode */ \n-- MariaDB dump\nCREATE TABLE \`t\` (\`a\` int);\n${END}`),
    ];
    const request = { ...requestOf({ ...bench.elsewhere, tools: folder }, 'new'), artifacts };
    await mysql.restore(request, bench.context);
    expect(bench.ask('SELECT COUNT(*) FROM t', bench.elsewhere.database)).toBe('0');
  });
});

describe('a trigger that was typed with the name of its database', () => {
  it('comes back in another one', async () => {
    const bench = await oneDatabase('CREATE TABLE t (a int)');
    const { database } = bench.target;
    bench.ask(`create trigger ${database}.r before insert on ${database}.t for each row set new.a = 7`);
    const taken = await bench.take();
    await bench.restore(taken, 'new', { destination: bench.elsewhere });
    bench.ask('INSERT INTO t VALUES (1)', bench.elsewhere.database);
    expect(bench.ask('SELECT a FROM t', bench.elsewhere.database)).toBe('7');
  });
});

describe('a replacement', () => {
  it('is refused where keys of other databases would follow the old tables', async () => {
    const bench = await oneDatabase('CREATE TABLE t (a int PRIMARY KEY)');
    const { database } = bench.target;
    const taken = await bench.take();
    bench.ask(
      `CREATE DATABASE ${bench.elsewhere.database}; CREATE TABLE ${bench.elsewhere.database}.child (a int, FOREIGN KEY (a) REFERENCES ${database}.t (a))`,
    );
    await expect(bench.restore(taken, 'replace')).rejects.toMatchObject({
      message: expect.stringContaining(`${bench.elsewhere.database}.child`) as unknown,
    });
  });

  it('that fails half-way puts everything back', async () => {
    const bench = await oneDatabase(`CREATE TABLE t (a int); INSERT INTO t VALUES (1); CREATE VIEW v AS SELECT a FROM t;
      CREATE TRIGGER r BEFORE INSERT ON t FOR EACH ROW SET NEW.a = 1; CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO DELETE FROM t; CREATE PROCEDURE p() SELECT 1`);
    const taken = await bench.take();
    bench.ask('INSERT INTO t VALUES (2); CREATE TABLE kept (a int)');
    const before = describeDatabase(bench.connection, bench.target.database);
    const holder = bench.hold('LOCK TABLES kept READ');
    await holder.ready;
    const destination = { ...bench.target, lockTimeout: '1s' } as const;
    await expect(bench.restore(taken, 'replace', { destination })).rejects.toMatchObject({ code: 'target' });
    holder.release();
    expect(describeDatabase(bench.connection, bench.target.database)).toBe(before);
    expect(mysqlClient(bench.connection, null, 'SHOW DATABASES')).not.toContain(`${bench.target.database}_bkp`);
  });
});
