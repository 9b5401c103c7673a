import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { connectionOf } from '../services/connection.ts';
import { createMysqlDatabase, dropMysqlDatabase, mysqlClient } from '../services/mysql-client.ts';
import { makePlace, type Place } from './run-bkp.ts';

const server = connectionOf('mariadb-10.11');
const NAME = 'cl_shop';

const databases = (): readonly string[] =>
  mysqlClient(
    server,
    null,
    `SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME LIKE 'cl\\_%' ORDER BY 1`,
  )
    .split('\n')
    .filter(Boolean);
const sql = (text: string): string => mysqlClient(server, NAME, text);

beforeEach(() => {
  for (const name of databases()) dropMysqlDatabase(server, name);
});

/** A shop with one snapshot. */
async function takenShop(): Promise<Place> {
  createMysqlDatabase(server, NAME);
  sql(`CREATE TABLE people (id int PRIMARY KEY, name text); CREATE TABLE orders (id int PRIMARY KEY, person int, FOREIGN KEY (person) REFERENCES people (id));
    INSERT INTO people VALUES (1, 'ann'), (2, 'bob'); INSERT INTO orders VALUES (1, 1), (2, 2), (3, 2); CREATE VIEW names AS SELECT name FROM people`);
  const place = await makePlace();
  onTestFinished(() => place.remove());
  const { host = '', port = '', user = '', password = '' } = server;
  await writeFile(
    place.path('bkp.yaml'),
    `version: 1
name: shop
repositories:
  near: { type: directory, path: near }
targets:
  db: { type: mysql, host: ${host}, port: ${port}, user: ${user}, password: "\${env:PASSWORD:-${password}}", database: ${NAME} }
backups:
  shop:
    targets: [db]
    repositories: [near]
    schedule: "0 0 1 1 *"
    retention: { keepLast: 9 }
    checks: { db: [ { sql: "SELECT count(*) FROM orders", expect: "> 0" }, { facts: tables.orders, expect: "= 3" } ] }
`,
  );
  await place.bkp('apply --yes --init-repositories --only create');
  return place;
}

/** A dump as people write it by hand. */
const dump = (...options: readonly string[]): string => {
  const { host = '', port = '', user = '', password = '' } = server;
  const argv = [
    '--no-defaults',
    '--protocol=tcp',
    `--host=${host}`,
    `--port=${port}`,
    `--user=${user}`,
    ...options,
    NAME,
  ];
  return execFileSync(join(server['bin'] ?? '', 'mariadb-dump'), argv, {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], MYSQL_PWD: password },
  });
};

describe('bkp restore of a MySQL database', () => {
  test('says what is not exchanged at once, and keeps the old state until it is cleaned away', async () => {
    const place = await takenShop();
    sql('DELETE FROM orders');
    const planned = await place.bkp('restore shop@latest --mode replace --plan');
    expect(planned.stdout).toContain(
      'its tables are exchanged at once; views, triggers, routines and events a moment later',
    );
    await place.bkp('restore shop@latest --mode replace --yes');
    expect(sql('SELECT count(*) FROM orders')).toBe('3');
    expect(sql('SELECT name FROM names ORDER BY 1')).toBe('ann\nbob');
    expect(databases()).toEqual([NAME, expect.stringMatching(/^cl_shop_bkp_old_/)]);
    const later = new Date(Date.now() + 3 * 86_400_000).toISOString();
    expect((await place.bkp(`plan --at ${later}`)).stdout).toContain('clean');
  });

  test('merges what is missing into what is there', async () => {
    const place = await takenShop();
    sql(
      "DELETE FROM orders WHERE id = 3; DELETE FROM orders WHERE person = 1; DELETE FROM people WHERE id = 1; INSERT INTO people VALUES (1, 'new')",
    );
    await place.bkp('restore shop@latest --mode merge --yes');
    expect(sql('SELECT name FROM people WHERE id = 1')).toBe('new');
    expect(sql('SELECT count(*) FROM orders')).toBe('3');
  });
});

describe('bkp upload', () => {
  test('takes a dump of one database and refuses one that selects its own', async () => {
    const place = await takenShop();
    await writeFile(place.path('good.sql'), dump('--single-transaction'));
    await writeFile(place.path('bad.sql'), dump('--databases'));
    await writeFile(place.path('cut.sql'), dump().slice(0, -200));
    expect((await place.bkp('upload good.sql --target db')).stdout).toContain('Adopted good.sql');
    expect((await place.bkp('upload bad.sql --target db', 1)).stderr).toContain(
      'it selects or makes a database of its own',
    );
    expect((await place.bkp('upload cut.sql --target db', 1)).stderr).toMatch(/cannot read the dump of MySQL|is cut/);
    const { stdout } = await place.bkp('list --format json');
    const { snapshots } = JSON.parse(stdout) as { snapshots: readonly { id: string; kind: string }[] };
    const adopted = snapshots.find(({ kind }) => kind === 'adopted');
    await place.bkp(`restore shop@${adopted?.id} --into database=cl_copy --yes`);
    expect(mysqlClient(server, 'cl_copy', 'SELECT count(*) FROM orders')).toBe('3');
  });
});
