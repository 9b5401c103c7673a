import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { judgeMydumper } from '../../../src/engines/mysql/capture/judge-mydumper.ts';
import { mysql } from '../../../src/engines/mysql.ts';
import { servicesToTry } from '../../services/connection.ts';
import { mysqlClient } from '../../services/mysql-client.ts';
import { testContext } from '../../test-context.ts';
import { mysqlFixture } from '../mysql-fixture.ts';
import { take, type Taken } from '../workbench.ts';
import { describeDatabase } from './digest.ts';
import { type OneDatabase, oneDatabase } from './one-database.ts';
import { FACTS, RICH, RICH_MARIADB } from './rich.ts';

const BY = { method: 'mydumper', jobs: 3 } as const;
const TABLES = `CREATE TABLE a (n int PRIMARY KEY, pad text); CREATE TABLE b (n int);
  INSERT INTO a VALUES (1, 'x'), (2, 'y'); INSERT INTO b VALUES (1);`;

/** mydumper takes no backticks in names. */
const plain = (sql: string): string => sql.replaceAll('``', '');

describe.each([...servicesToTry('mariadb'), ...servicesToTry('mysql')])('everything that %s keeps', (service) => {
  const isMariadb = service.startsWith('mariadb');
  const contents = plain(isMariadb ? RICH + RICH_MARIADB : RICH);
  const { 'grö`ße $': odd, ...others } = FACTS.tables;
  const tables = { ...others, 'größe $': odd, ...(isMariadb ? { versions: 2 } : {}) };
  const sums = (bench: OneDatabase, database: string): string =>
    bench
      .ask('CHECKSUM TABLE kinds, loose, fleeting, parents, parted, node EXTENDED', database)
      .replaceAll(database, '');

  it('is counted in the files and comes back, in every mode', async () => {
    const bench = await oneDatabase(contents, service);
    const { database } = bench.target;
    const [before, sumsBefore] = [describeDatabase(bench.connection, database), sums(bench, database)];
    const taken = await bench.take(BY);
    expect(taken.facts).toMatchObject({ ...FACTS, tables, ...(isMariadb ? { sequences: 1 } : {}) });
    await bench.restore(taken, 'new', { destination: { ...bench.elsewhere, ...BY } });
    expect(describeDatabase(bench.connection, bench.elsewhere.database)).toBe(before);
    expect(sums(bench, bench.elsewhere.database)).toBe(sumsBefore);

    bench.ask(`DELETE FROM kinds WHERE id > 1; DELETE FROM loose LIMIT 1; DROP TABLE parted; DROP VIEW aa; DROP VIEW zz;
      DROP TRIGGER parents_in; DROP PROCEDURE walk; DROP EVENT sweep; DELETE FROM node WHERE id = 3`);
    expect(await bench.restore(taken, 'merge')).toMatchObject({
      conflicts: [],
      restored: { 'table kinds': 2, 'table loose': 1, 'table node': 1, 'table parted': 2 },
    });
    const sorted = (dump: string): readonly string[] => dump.split('\n').toSorted();
    expect(sorted(describeDatabase(bench.connection, database))).toEqual(sorted(before));

    bench.ask('DELETE FROM kinds; DROP TABLE loose; DROP VIEW aa; CREATE TABLE fresh (a int)');
    await bench.restore(taken, 'replace');
    expect(describeDatabase(bench.connection, database)).toBe(before);
    expect(sums(bench, database)).toBe(sumsBefore);
  });
});

describe.each(servicesToTry('mysql'))('a database of %s whose name is not ASCII', (service) => {
  it('is refused', async () => {
    const bench = await oneDatabase(TABLES, service);
    const database = `ünï ${bench.target.database}`;
    bench.ask(`CREATE DATABASE \`${database}\``);
    const { problems } = await mysql.probe({ ...bench.target, ...BY, database }, bench.context);
    expect(problems).toMatchObject([{ message: `mydumper does not dump a database of this name: ${database}` }]);
  });
});

describe('who views and triggers run as', () => {
  it('is kept, or is whoever restores', async () => {
    const bench = await oneDatabase(TABLES);
    const user = bench.target.database.replace('shop', 'owner');
    bench.ask(`CREATE USER ${user}@'%'; GRANT ALL ON *.* TO ${user}@'%'; CREATE DEFINER=${user}@'%' VIEW v AS SELECT n FROM a;
      CREATE DEFINER=${user}@'%' TRIGGER t BEFORE INSERT ON a FOR EACH ROW SET NEW.pad = 'by trigger'`);
    const taken = await bench.take(BY);
    expect(taken.facts).toMatchObject({ definers: { [`${user}@%`]: 2 }, views: 1, triggers: 1 });
    const definers = (database: string): string =>
      bench.ask(
        `SELECT DEFINER FROM information_schema.VIEWS WHERE TABLE_SCHEMA = DATABASE() UNION
         SELECT DEFINER FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE()`,
        database,
      );
    await bench.restore(taken, 'replace');
    expect(definers(bench.target.database)).toBe(`${user}@%`);
    bench.ask(`DROP USER ${user}@'%'`);
    const destination = { ...bench.elsewhere, ...BY };
    await expect(bench.restore(taken, 'new', { destination })).rejects.toMatchObject({ code: 'target' });
    await bench.restore(taken, 'new', { destination, noOwner: true });
    expect(definers(bench.elsewhere.database)).toBe(`${bench.target.user}@%`);
    bench.ask("INSERT INTO a VALUES (9, 'x')", bench.elsewhere.database);
    expect(bench.ask('SELECT pad FROM a WHERE n IN (1, 9)', bench.elsewhere.database)).toBe('x\nby trigger');
  });
});

describe('what mydumper would lose', () => {
  it('is refused before it starts, and told in a look', async () => {
    const bench = await oneDatabase(`CREATE TABLE hidden (n int PRIMARY KEY, s int INVISIBLE DEFAULT 7);
      CREATE TABLE computed (n int, s int INVISIBLE DEFAULT 7, t int AS (n + 1) STORED);
      CREATE TABLE \`back\`\`tick\` (n int); CREATE TABLE \`sl/ash\` (n int); CREATE TABLE \`a-schema\` (n int);
      CREATE TABLE columns (\`o\`\`dd\` int);`);
    const otherwise = 'leave `method: mydumper` out: the program of the server can';
    expect((await mysql.probe({ ...bench.target, ...BY }, bench.context)).problems).toEqual([
      { message: 'mydumper does not dump tables of these names: a-schema, back`tick, sl/ash', hint: otherwise },
      { message: 'mydumper loses the invisible columns of these tables: hidden', hint: otherwise },
      { message: 'mydumper spoils names of columns with a backtick: columns', hint: otherwise },
    ]);
    await expect(mysql.capture({ ...bench.target, ...BY }, bench.context)).rejects.toMatchObject({ code: 'target' });
    expect((await mysql.probe(bench.target, bench.context)).problems).toEqual([]);
  });

  it('is the moment, where the user may not stop writers: then a lock does', async () => {
    const bench = await oneDatabase(TABLES);
    const { database } = bench.target;
    const user = database.replace('shop', 'dump');
    mysqlClient(
      bench.connection,
      null,
      `CREATE USER ${user}@'%' IDENTIFIED BY 'pass#"\\\\ word'; GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES ON \`${database}\`.* TO ${user}@'%'`,
    );
    const target = { ...bench.target, ...BY, user, password: 'pass#"\\ word' };
    expect((await mysql.probe(target, bench.context)).problems).toEqual([
      {
        message: 'the user may not RELOAD, which stops writers until all jobs of mydumper see the same moment',
        hint: `\`GRANT RELOAD ON *.* TO \`${user}\`@\`%\`\`, or write \`lock: true\``,
      },
    ]);
    const taken = await bench.take({ ...target, lock: true });
    expect(taken.facts).toMatchObject({ tables: { a: 2, b: 1 } });
  });
});

/** A context whose mydumper is a script: `$real` runs the real one, `$out` is the folder it writes. */
async function withMydumper(
  script: string,
): Promise<{ readonly bench: OneDatabase; readonly take: () => Promise<Taken> }> {
  const bench = await oneDatabase(TABLES);
  const { folder } = await testContext();
  const bin = join(folder, 'bin');
  await mkdir(bin);
  const text = `#!/bin/sh
real=/usr/bin/mydumper
case "$1" in --version|--help) exec $real "$@";; esac
for one in "$@"; do case "$one" in --outputdir=*) out=\${one#--outputdir=};; --defaults-file=*) file=\${one#--defaults-file=};; esac; done
${script.replaceAll('DATABASE', bench.target.database)}\n`;
  await writeFile(join(bin, 'mydumper'), text);
  await chmod(join(bin, 'mydumper'), 0o755);
  const { context } = await testContext({ environment: { PATH: `${bin}:${process.env['PATH']}` } });
  return {
    bench,
    take: async () => {
      try {
        return await take(mysqlFixture, { ...bench.target, ...BY }, bench.repository, context);
      } finally {
        expect(await readdir(context.workDir)).toEqual([]);
      }
    },
  };
}

describe('a dump that is not whole', () => {
  const failures = [
    ['a table without a file', '$real "$@" && rm "$out/DATABASE.b.sql"', /it wrote nothing of table b/],
    ['a file of no table', '$real "$@" && echo > "$out/DATABASE.c.sql"', /it wrote DATABASE\.c\.sql, of no table/],
    ['no end', '$real "$@" && sed -i /Finished/d "$out/metadata"', /it wrote no end into its metadata/],
    [
      'rows of another table',
      '$real "$@" && sed -i "s/\\`b\\`/\\`c\\`/" "$out/DATABASE.b.sql"',
      /rows of a table that it/,
    ],
    [
      'a statement among the rows',
      '$real "$@" && echo "DROP TABLE a;" >> "$out/DATABASE.b.sql"',
      /b\.sql has a statement that belongs elsewhere/,
    ],
    ['rows that are cut', '$real "$@" && truncate -s -3 "$out/DATABASE.a.sql"', /it is cut in the rows/],
    ['an error', '$real "$@"; echo "** (mydumper:7): CRITICAL **: 21:53:18.759: no more" >&2; exit 1', /no more/],
  ] as const;

  it.each(failures)('fails: %s', async (_, script, reason) => {
    const { bench, take: taking } = await withMydumper(script);
    const message = new RegExp(reason.source.replace('DATABASE', bench.target.database));
    await expect(taking()).rejects.toMatchObject({ message: expect.stringMatching(message) as unknown });
    expect(await bench.repository.list('', 'deep')).toEqual([]);
  });

  it('fails where a table was changed while it was written', async () => {
    const { bench, take: taking } = await withMydumper(
      '$real "$@" && sed -i /protocol/d "$file" && mariadb --defaults-file="$file" DATABASE -e "ALTER TABLE b ADD COLUMN m int"',
    );
    await expect(taking()).rejects.toMatchObject({
      code: 'target',
      hint: 'a table was changed while it was dumped: capture again when that has ended',
    });
    expect(await bench.repository.list('', 'deep')).toEqual([]);
  });
});

describe('a server in use', () => {
  it('is not kept waiting for long by a lock that somebody else delays', async () => {
    const bench = await oneDatabase(TABLES);
    const holder = bench.hold('LOCK TABLES a WRITE');
    await holder.ready;
    await expect(bench.take({ ...BY, lockTimeout: '1s' })).rejects.toMatchObject({
      code: 'target',
      message: expect.stringContaining('a table stayed in use') as unknown,
      hint: 'see who holds it, or raise `lockTimeout`',
    });
    expect(await readdir(bench.context.workDir)).toEqual([]);
  });
});

describe('a table of several files', () => {
  it('is counted by a reader of its own process, and restored by several clients', async () => {
    const bench = await oneDatabase(`CREATE TABLE a (n int PRIMARY KEY AUTO_INCREMENT, pad longtext);
      INSERT INTO a (pad) SELECT REPEAT(SHA2(seq, 512), 8000) FROM seq_1_to_80; INSERT INTO a VALUES (0, NULL)`);
    const capture = await mysql.capture({ ...bench.target, ...BY }, bench.context);
    expect(capture.artifacts).toMatchObject([{ inspect: { program: 'mysql-mydumper' } }]);
    const [folder = ''] = (await readdir(bench.context.workDir)).filter((name) => !/[.]/.test(name));
    expect(await readdir(join(bench.context.workDir, folder, 'rows'))).toEqual(['000001.a.sql', '000002.a.sql']);
    await capture.close();
    const taken = await bench.take(BY);
    expect(taken.facts).toMatchObject({ tables: { a: 81 } });
    await bench.restore(taken, 'new', { destination: { ...bench.elsewhere, ...BY } });
    const sum = (database: string): string => bench.ask('CHECKSUM TABLE a', database).split('\t')[1] ?? '';
    expect(sum(bench.elsewhere.database)).toBe(sum(bench.target.database));
  });
});

describe('while applications write', () => {
  it('all jobs see one moment of all transactions', async () => {
    const bench = await oneDatabase(`CREATE TABLE a (n int); CREATE TABLE z (n int);
      INSERT INTO a VALUES (1000); INSERT INTO z VALUES (1000);
      DELIMITER ;;
      CREATE PROCEDURE churn() BEGIN
        LOOP START TRANSACTION; UPDATE a SET n = n - 1; UPDATE z SET n = n + 1; COMMIT; END LOOP;
      END;;
      DELIMITER ;`);
    const writer = bench.hold("SELECT 'begun'; CALL churn()");
    await writer.ready;
    const before = Number(bench.ask('SELECT n FROM z'));
    for (let round = 0; round < 3; round += 1) {
      const taken = await bench.take(BY);
      const destination = { ...bench.elsewhere, database: `${bench.elsewhere.database}_${round}` };
      await bench.restore(taken, 'new', { destination });
      expect(bench.ask('SELECT a.n + z.n FROM a, z', destination.database)).toBe('2000');
    }
    expect(Number(bench.ask('SELECT n FROM z'))).toBeGreaterThan(before);
    writer.release();
    // The server goes on with a procedure whose client has gone.
    const others = 'SELECT ID FROM information_schema.PROCESSLIST WHERE DB = DATABASE() AND ID <> CONNECTION_ID()';
    for (const id of bench.ask(others).split('\n').filter(Boolean)) bench.ask(`KILL ${id}`);
  });
});

describe('the program', () => {
  it('finds the password in a file that nobody else may read, and not among its arguments', async () => {
    const { folder } = await testContext();
    const { bench, take: taking } = await withMydumper(
      `echo "$@" > ${folder}/argv; stat -c %a "$file" > ${folder}/mode; cp "$file" ${folder}/options; $real "$@"`,
    );
    await taking();
    expect(await readFile(join(folder, 'argv'), 'utf8')).toMatch(/ --threads=3 .*--trx-consistency-only/);
    expect(await readFile(join(folder, 'argv'), 'utf8')).not.toContain(bench.target.password);
    expect(await readFile(join(folder, 'mode'), 'utf8')).toBe('600\n');
    // Limits of applications are none of a dump.
    expect(await readFile(join(folder, 'options'), 'utf8')).toContain(
      'init-command="SET SESSION lock_wait_timeout = 30, net_write_timeout = 3600, max_statement_time = 0"',
    );
  });

  it('goes where the target says: not to the socket of this machine for its name, nor away from a socket', async () => {
    const bench = await oneDatabase(TABLES);
    const { host: _, port = 0, ...anywhere } = bench.target;
    bench.ask(
      `CREATE DATABASE \`ünï 日本 ${bench.target.database}\`; CREATE TABLE \`ünï 日本 ${bench.target.database}\`.\`größe 日本\` (n int)`,
    );
    const odd = { ...bench.target, ...BY, database: `ünï 日本 ${bench.target.database}` };
    expect((await take(mysqlFixture, odd, bench.repository, bench.context)).facts).toMatchObject({
      tables: { 'größe 日本': 0 },
    });
    const places = [
      { ...anywhere, host: 'localhost', port },
      { ...anywhere, socket: bench.connection['socket'] ?? '' },
    ];
    for (const place of places)
      expect((await take(mysqlFixture, { ...place, ...BY }, bench.repository, bench.context)).facts).toMatchObject({
        tables: { a: 2, b: 1 },
      });
  });

  // As its documentation has it: other names of options, of files, and another form of metadata.
  it('may be a newer one', async () => {
    const { folder } = await testContext();
    const { bench } = await withMydumper('');
    const text = `#!/bin/sh
case "$1" in
  --version) echo 'mydumper v0.16.3-5, built against MySQL 8.0.36'; exit;;
  --help) /usr/bin/mydumper --help | grep -v -e --no-locks -e --trx-consistency-only; echo '  --sync-thread-lock-mode   AUTO, FTWRL, LOCK_ALL, NO_LOCK'; exit;;
esac
for one in "$@"; do case "$one" in
  --outputdir=*) out=\${one#--outputdir=};; --trx*|--no-locks) exit 9;;
  --sync-thread-lock-mode=*) shift; set -- "$@" --no-locks; continue;;
esac; shift; set -- "$@" "$one"; done
/usr/bin/mydumper "$@" && cd "$out" && for name in *.sql; do mv "$name" "\${name%.sql}.00000.sql"; done
sed -i 's/^/# /' metadata; printf '[\`x\`.\`a\`]\\nRows = 2\\n' >> metadata\n`;
    await writeFile(join(folder, 'mydumper'), text);
    await chmod(join(folder, 'mydumper'), 0o755);
    const { context } = await testContext({ environment: { PATH: `${folder}:${process.env['PATH']}` } });
    for (const lock of [true, false]) {
      const target = { ...bench.target, ...BY, lock };
      const { facts } = await take(mysqlFixture, target, bench.repository, context);
      expect(facts).toMatchObject({ tables: { a: 2, b: 1 } });
    }
  });

  it('is asked what it can, and is listed among what a target needs', async () => {
    const { folder } = await testContext();
    const bench = await oneDatabase(TABLES);
    await writeFile(join(folder, 'mydumper'), '#!/bin/sh\necho "mydumper 0.9.1, built against MySQL 5.7"\n');
    await chmod(join(folder, 'mydumper'), 0o755);
    const { context } = await testContext({ environment: { PATH: `${folder}:${process.env['PATH']}` } });
    expect((await mysql.probe({ ...bench.target, ...BY }, context)).problems).toMatchObject([
      { message: expect.stringContaining('0.9.1: it has no option --defaults-file') as unknown },
    ]);
    const tools = (target: object): readonly string[] =>
      (mysql.neededTools?.({ type: 'mysql', ...target }) ?? []).map(({ tool }) => tool);
    expect(tools(BY)).toEqual(['mysqldump', 'mysql', 'mydumper']);
    expect(tools({})).toEqual(['mysqldump', 'mysql']);
  });

  it('is understood when it ends', () => {
    const line = (level: string, message: string): string => `** (mydumper:7): ${level} **: 21:53:18.759: ${message}\n`;
    const asked = line('WARNING', 'Using trx_consistency_only, binlog coordinates will not be accurate');
    expect(judgeMydumper({ exitCode: 0, stderr: `\n${asked}${line('WARNING', 'odd')}` })).toEqual({
      verdict: 'ok',
      warnings: ['odd'],
    });
    const guard = line('CRITICAL', 'There are queries in PROCESSLIST running longer than 60s, aborting dump,');
    expect(judgeMydumper({ exitCode: 1, stderr: asked + guard })).toMatchObject({
      verdict: 'failed',
      hint: 'capture again when it has ended, or write `lock: true`',
    });
    const changed = line('CRITICAL', 'Error dumping table (a.b) data: Table definition has changed, please retry');
    expect(judgeMydumper({ exitCode: 1, stderr: changed })).toMatchObject({
      hint: 'a table was changed while it was dumped: capture again when that has ended',
    });
    const refused = 'option parsing failed: Unknown option --odd, try --help\n';
    expect(judgeMydumper({ exitCode: 1, stderr: refused })).toMatchObject({ reason: 'Unknown option --odd' });
    expect(judgeMydumper({ exitCode: 2, stderr: '' })).toEqual({ verdict: 'failed', reason: 'exit code 2' });
  });
});
