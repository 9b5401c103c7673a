import { writeFile } from 'node:fs/promises';
import { afterAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { useServer } from '../engines/postgres/restore-server.ts';
import { makePlace, type Place } from './run-bkp.ts';

const server = useServer('cl_');

const dropAll = async (): Promise<void> => {
  await server.dropAll();
  const roles = await server.sql('postgres', `SELECT rolname FROM pg_roles WHERE rolname IN ('cl_owner', 'cl_other')`);
  for (const role of roles.split('\n').filter(Boolean))
    await server.sql('postgres', `DROP OWNED BY ${role}; DROP ROLE ${role}`);
};
beforeEach(dropAll);
afterAll(dropAll);

const sql = (text: string): Promise<string> => server.sql('shop', text);

/** A shop whose owner may make no database, with one snapshot. */
async function takenShop(format = 'custom'): Promise<Place> {
  await server.sql(
    'postgres',
    `CREATE ROLE cl_owner LOGIN PASSWORD 'cl_owner'; GRANT SET ON PARAMETER session_replication_role TO cl_owner`,
  );
  await server.sql('postgres', 'CREATE DATABASE cl_shop OWNER cl_owner');
  await sql(`SET ROLE cl_owner; CREATE SCHEMA shop; CREATE TABLE shop.people (id int PRIMARY KEY, name text);
    CREATE TABLE shop.orders (id serial PRIMARY KEY, person int REFERENCES shop.people);
    INSERT INTO shop.people VALUES (1, 'ann'), (2, 'bob'); INSERT INTO shop.orders (person) VALUES (1), (2), (2)`);
  const { host = '', port, user, password } = server.target('shop', 'cl_owner');
  const place = await makePlace();
  onTestFinished(() => place.remove());
  await writeFile(
    place.path('bkp.yaml'),
    `version: 1
name: shop
repositories:
  near: { type: directory, path: near }
targets:
  db: { type: postgres, host: ${host}, port: ${port}, user: ${user}, password: "\${env:PASSWORD:-${password}}", database: cl_shop, format: ${format} }
  tree: { type: files, paths: [bkp.yaml] }
backups:
  shop:
    targets: [db, tree]
    repositories: [near]
    schedule: "0 0 1 1 *"
    retention: { keepLast: 9 }
    checks: { db: [ { sql: "SELECT count(*) FROM shop.orders", expect: "> 0" } ] }
restores:
  again: { from: shop@latest, repeat: true, targets: { db: { mode: replace } } }
`,
  );
  await place.bkp('apply --yes --init-repositories --only create');
  return place;
}

describe('bkp restore of a PostgreSQL database', () => {
  test('replaces it in place where its owner may not set it aside, and says so before', async () => {
    const place = await takenShop();
    await sql('DELETE FROM shop.orders');
    const { stdout } = await place.bkp('restore shop@latest --target db --mode replace --plan');
    expect(stdout).toMatch(/\+ {3}create +shop@near +db\n/);
    expect(stdout).toMatch(/safety: what stands at the destination of db is captured before it is changed/);
    expect(stdout).toMatch(/db {2}mode replace in place {2}there now: database with 2 tables/);
    await place.bkp('restore shop@latest --target db --mode replace --yes');
    expect(await sql('SELECT count(*) FROM shop.orders')).toBe('3');
    expect(await server.databases()).toEqual(['shop']);
    const back = await place.bkp('restore shop@safety --target db --mode replace --yes', 1);
    expect(back.stderr).toContain('expected > 0');
    expect(await sql('SELECT count(*) FROM shop.orders')).toBe('3');
    const planned = await place.bkp('plan --format json');
    expect(JSON.parse(planned.stdout)).toMatchObject({
      steps: [
        { action: 'create', kind: 'safety' },
        { action: 'restore', destination: { targets: { db: { changedInPlace: true } } } },
      ],
    });
  });

  test('takes no safety snapshot for a restore that it will refuse', async () => {
    const place = await takenShop('plain');
    const kinds = async (): Promise<readonly string[]> => {
      const { snapshots } = JSON.parse((await place.bkp('list --format json')).stdout) as {
        readonly snapshots: readonly { readonly kind: string }[];
      };
      return snapshots.map(({ kind }) => kind);
    };
    const replace = 'restore shop@latest --target db --mode replace';
    const inPlace = /a dump as plain cannot take the place of what is there, and user cl_owner may not set/;
    expect((await place.bkp(`${replace} --plan`, 6)).stdout).toMatch(inPlace);
    expect((await place.bkp(`${replace} --yes`, 6)).stderr).toMatch(inPlace);
    expect((await place.bkp('apply --yes', 6)).stderr).toMatch(inPlace);
    expect(await kinds()).toEqual(['backup']);

    await sql('REVOKE SET ON PARAMETER session_replication_role FROM cl_owner');
    const merge = 'restore shop@latest --target db --mode merge';
    const loud = await place.bkp(`${merge} --yes`, 6);
    expect(loud.stderr).toMatch(/cl_owner may not silence triggers[\s\S]*GRANT SET ON PARAMETER/);
    await sql('CREATE RULE loud AS ON DELETE TO shop.orders DO ALSO NOTHING');
    const orders = 'restore shop@latest --target db --path shop.orders --mode replace --yes';
    expect((await place.bkp(orders, 1)).stderr).toContain('cl_owner may not silence triggers');
    await sql(
      'DROP TABLE shop.orders; CREATE VIEW shop.orders AS SELECT 1; GRANT SET ON PARAMETER session_replication_role TO cl_owner',
    );
    expect((await place.bkp(orders, 1)).stderr).toContain(
      'cannot restore table shop.orders: something else has its name',
    );
    await sql(
      'DROP VIEW shop.orders; CREATE TABLE shop.orders (id serial PRIMARY KEY, person int REFERENCES shop.people)',
    );
    await sql('ALTER TABLE shop.orders OWNER TO cl_owner; INSERT INTO shop.orders (person) VALUES (1)');
    expect(await kinds()).toEqual(['backup']);

    await sql('CREATE ROLE cl_other; GRANT cl_other TO cl_owner; ALTER TABLE shop.orders OWNER TO cl_other');
    await place.bkp('backup shop');
    await sql('ALTER TABLE shop.orders OWNER TO cl_owner; DROP OWNED BY cl_other; DROP ROLE cl_other');
    expect((await place.bkp(`${merge} --yes`, 1)).stderr).toContain('lacks role cl_other');
    expect((await place.bkp(`${merge} --path shop.nothing --yes`, 1)).stderr).toContain('does not have it');
    expect(await kinds()).toEqual(['backup', 'backup']);
    await place.bkp(`${merge} --no-owner --yes`);
    expect(await kinds()).toContain('safety');
  });

  test('brings single tables back, and names them', async () => {
    const place = await takenShop();
    await sql(`UPDATE shop.orders SET person = 1; UPDATE shop.people SET name = 'changed'`);
    const { stdout } = await place.bkp('restore shop@latest --target db --path shop.orders --mode replace --plan');
    expect(stdout).toMatch(/db {2}mode replace in place of shop\.orders {2}there now/);
    expect(stdout).toContain('safety');
    const done = await place.bkp('restore shop@latest --target db --path shop.orders --mode replace --yes');
    expect(done.stdout).toContain('db (shop.orders) -> ');
    expect(await sql(`SELECT count(*) FROM shop.orders WHERE person = 2; SELECT DISTINCT name FROM shop.people`)).toBe(
      '2\nchanged',
    );
    const refused = await place.bkp('restore shop@latest --target db --path shop.orders --yes', 6);
    expect(refused.stderr).toContain('cannot restore shop.orders: database cl_shop has it');
    const unknown = await place.bkp('restore shop@latest --target db --path shop.order --yes', 1);
    expect(unknown.stderr).toMatch(/hint: near it are .*shop\.orders/);
    await sql('DROP TABLE shop.orders');
    await place.bkp('restore shop@latest --target db --path shop.orders --yes');
    expect(await sql('SELECT count(*) FROM shop.orders')).toBe('3');
  });

  test('knows --no-owner, and says which targets do not', async () => {
    const place = await takenShop();
    const { stderr } = await place.bkp('restore shop@latest --no-owner --into tree.root=out --mode replace --plan', 4);
    expect(stderr).toContain('cannot restore tree without owners: files has no --no-owner');
    await sql('CREATE ROLE cl_other');
    await sql('ALTER TABLE shop.orders OWNER TO cl_other; GRANT cl_other TO cl_owner');
    await place.bkp('backup shop');
    await sql('DROP SCHEMA shop CASCADE; DROP OWNED BY cl_other; DROP ROLE cl_other');
    const refused = await place.bkp('restore shop@latest --target db --yes', 1);
    expect(refused.stderr).toMatch(/lacks role cl_other[\s\S]*--no-owner/);
    await place.bkp('restore shop@latest --target db --no-owner --yes');
    expect(await sql(`SELECT relowner::regrole FROM pg_class WHERE oid = 'shop.orders'::regclass`)).toBe('cl_owner');
  });
});
