import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { removePostgresAside } from '../../../src/engines/postgres/restore/set-aside.ts';
import { connectionOf } from '../../services/connection.ts';
import { dropDatabase, psql } from '../../services/postgres-psql.ts';
import { giveToServer } from '../../services/server-process.ts';
import { oneDatabase } from './one-database.ts';

/** What a database refers to on its server, and what a dump therefore does not bring along. */
const server = connectionOf('postgres-15');
const administer = (sql: string): string => psql(server, 'postgres', sql);

function makeTablespace(name: string): void {
  const folder = mkdtempSync(join(tmpdir(), 'bkp-tablespace-'));
  chmodSync(folder, 0o700);
  giveToServer(folder);
  administer(`CREATE TABLESPACE ${name} LOCATION '${folder}'`);
  onTestFinished(() => {
    administer(`DROP TABLESPACE IF EXISTS ${name}`);
    rmSync(folder, { recursive: true, force: true });
  });
}

describe('a tablespace', () => {
  const MOVED = `CREATE TABLE t (id int PRIMARY KEY USING INDEX TABLESPACE second) TABLESPACE second; INSERT INTO t VALUES (1), (2);
    CREATE TABLE usual (v int)`;

  test('takes its tables and indexes in again', async () => {
    makeTablespace('second');
    const { capture, restore, sqlOfCopy } = await oneDatabase(MOVED);
    await restore(await capture());
    expect(
      sqlOfCopy(`SELECT relname, spcname FROM pg_class LEFT JOIN pg_tablespace s ON s.oid = reltablespace
        WHERE relname IN ('t', 't_pkey', 'usual') ORDER BY 1`),
    ).toBe('t|second\nt_pkey|second\nusual|');
  });

  test('of the database itself comes back, too', async () => {
    makeTablespace('second');
    const { capture, restore, target, copy } = await oneDatabase('CREATE TABLE t (v int)');
    administer(`ALTER DATABASE "${target.database}" SET TABLESPACE second`);
    await restore(await capture());
    expect(
      administer(`SELECT spcname FROM pg_database d JOIN pg_tablespace s ON s.oid = dattablespace
        WHERE datname = '${copy.database}'`),
    ).toBe('second');
  });
});

describe('what the server lacks is found before anything is touched', () => {
  test('all of it at once, with what helps', async () => {
    makeTablespace('second');
    administer(`CREATE ROLE gone_owner; CREATE ROLE "Gone Reader"`);
    onTestFinished(() => void administer(`DROP ROLE IF EXISTS gone_owner; DROP ROLE IF EXISTS "Gone Reader"`));
    const { capture, restore, sql, target, copy } = await oneDatabase(
      `CREATE TABLE t (v int) TABLESPACE second; ALTER TABLE t OWNER TO gone_owner; GRANT SELECT ON t TO "Gone Reader";
       CREATE COLLATION pg_catalog."bkp_XX" (locale = 'C'); CREATE TABLE c (v text COLLATE pg_catalog."bkp_XX");
       CREATE EXTENSION citext; CREATE TABLE e (v citext)`,
    );
    sql(`UPDATE pg_extension SET extname = 'bkp_gone' WHERE extname = 'citext'`);
    const taken = await capture();
    dropDatabase(server, target.database);
    administer(`DROP ROLE gone_owner; DROP ROLE "Gone Reader"; DROP TABLESPACE second`);
    await expect(restore(taken)).rejects.toMatchObject({
      code: 'target',
      message: `cannot restore database ${copy.database}: the server lacks role gone_owner, role Gone Reader, extension bkp_gone, tablespace second, collation bkp_XX`,
      hint: [
        'CREATE ROLE "gone_owner"',
        'CREATE ROLE "Gone Reader"',
        'install the package that brings extension bkp_gone',
        `CREATE TABLESPACE "second" LOCATION '…'`,
        `install the locale, then SELECT pg_import_system_collations('pg_catalog')`,
        'or restore without owners and rights of missing roles: `--no-owner`',
      ].join('; '),
    });
    const made = administer(`SELECT count(*) FROM pg_database WHERE starts_with(datname, '${copy.database}')`);
    expect(made).toBe('0');
  });
});

describe('a subscription', () => {
  test('is told, left out, and does not keep a database from being replaced', async () => {
    const { capture, restore, sql, sqlOfCopy, target, context } = await oneDatabase(
      `CREATE TABLE t (v int); INSERT INTO t VALUES (1);
       CREATE SUBSCRIPTION sub CONNECTION 'host=nowhere.invalid password=secret' PUBLICATION p WITH (connect = false)`,
    );
    const OID = '(SELECT oid FROM pg_database WHERE datname = current_database())';
    const WITHOUT = 'ALTER SUBSCRIPTION sub SET (slot_name = NONE); DROP SUBSCRIPTION sub';
    onTestFinished(
      () => void (sql(`SELECT count(*) FROM pg_subscription WHERE subdbid = ${OID}`) === '0' || sql(WITHOUT)),
    );
    const taken = await capture();
    const outcome = await restore(taken);
    expect(outcome.warnings).toEqual([expect.stringContaining('subscriptions were left out')]);
    expect(sqlOfCopy(`TABLE t; SELECT count(*) FROM pg_subscription WHERE subdbid = ${OID}`)).toBe('1\n0');
    const { keptOld } = await restore(taken, target, 'replace');
    expect(keptOld).toHaveLength(1);
    const old = { type: 'postgres', reference: keptOld[0]?.reference ?? '', destination: target };
    const removing = removePostgresAside(old, context);
    await expect(removing).rejects.toMatchObject({
      code: 'target',
      hint: expect.stringContaining('DROP SUBSCRIPTION') as unknown,
    });
    psql(server, old.reference, WITHOUT);
    await removePostgresAside(old, context);
  });
});

describe('data of other servers', () => {
  const FOREIGN = `CREATE EXTENSION postgres_fdw;
    CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'nowhere.invalid', dbname 'x');
    CREATE USER MAPPING FOR postgres SERVER far OPTIONS (user 'me', password 'it''s a \\secret');
    CREATE FOREIGN TABLE away (v int NOT NULL) SERVER far OPTIONS (table_name 't');
    CREATE TABLE logs (at int) PARTITION BY RANGE (at);
    CREATE TABLE logs_near PARTITION OF logs FOR VALUES FROM (0) TO (10);
    CREATE FOREIGN TABLE logs_far PARTITION OF logs FOR VALUES FROM (10) TO (20) SERVER far;
    INSERT INTO logs VALUES (1), (2)`;

  test('stay there; the way to them comes back with its password', async () => {
    const { capture, restore, sqlOfCopy } = await oneDatabase(FOREIGN);
    const taken = await capture();
    expect(taken.facts).toMatchObject({ tables: { 'public.logs_near': 2 } });
    await restore(taken);
    expect(sqlOfCopy('SELECT umoptions FROM pg_user_mappings')).toBe(`{"password=it's a \\\\secret",user=me}`);
    expect(sqlOfCopy(`SELECT ftrelid::regclass, ftoptions FROM pg_foreign_table ORDER BY 1`)).toBe(
      'away|{table_name=t}\nlogs_far|',
    );
    expect(sqlOfCopy('SELECT count(*) FROM ONLY logs_near')).toBe('2');
    expect(sqlOfCopy(`SELECT DISTINCT tablename FROM pg_stats WHERE schemaname = 'public'`)).toBe('logs_near');
    sqlOfCopy('DELETE FROM logs_near WHERE at = 1');
    expect(await restore(taken, {}, 'merge')).toMatchObject({
      restored: { 'table public.logs_near': 1 },
      warnings: [],
    });
  });

  test('lose their password where the user may not see it', async () => {
    const { capture, restore, sql, sqlOfCopy } = await oneDatabase(FOREIGN);
    const role = `outsider_${process.pid}`;
    administer(`CREATE ROLE ${role} LOGIN PASSWORD '${role}'`);
    onTestFinished(() => void administer(`DROP ROLE ${role}`));
    sql(`GRANT pg_read_all_data TO ${role}`);
    await restore(await capture({ user: role, password: role }));
    expect(sqlOfCopy('SELECT usename, umoptions FROM pg_user_mappings')).toBe('postgres|');
  });
});
