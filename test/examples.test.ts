import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, describe, expect, it } from 'vitest';
import { type Connection, connectionOf } from './services/connection.ts';
import { createMysqlDatabase, dropMysqlDatabase, mysqlClient } from './services/mysql-client.ts';
import { createDatabase, dropDatabase, psql } from './services/postgres-psql.ts';

const ROOT = new URL('..', import.meta.url).pathname;
const parent = mkdtempSync(join(tmpdir(), 'bkp-examples-'));
afterAll(() => rmSync(parent, { recursive: true, force: true }));

function makeDatabase(path: string, table: string): void {
  mkdirSync(join(path, '..'), { recursive: true });
  const database = new DatabaseSync(path);
  database.exec(
    `CREATE TABLE ${table} (id INTEGER PRIMARY KEY, what TEXT); INSERT INTO ${table} (what) VALUES ('one'), ('two')`,
  );
  database.close();
}

function makeFiles(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}

interface Example {
  readonly seed: (root: string) => void;
  /** Paths that are lost, below the example's folder. */
  readonly lose: readonly string[];
  readonly restore: readonly string[];
  /** Databases of the test server that are lost, with something to ask them. */
  readonly databases?: Readonly<Record<string, string>>;
  /** The same of the other server. */
  readonly mysqlDatabases?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  /** What must be equal afterwards, where files may come back in another form. */
  readonly compare?: (root: string) => string;
}

const server = connectionOf('postgres-15');
const mysqlServer = connectionOf('mariadb-10.11');

/** The environment in which an example's references lead to the test server. */
const reaching = (prefix: string, to: Connection = server): Readonly<Record<string, string>> => ({
  [`${prefix}_HOST`]: to['host'] ?? '',
  [`${prefix}_PORT`]: to['port'] ?? '',
  [`${prefix}_USER`]: to['user'] ?? '',
  [`${prefix}_PASSWORD`]: to['password'] ?? '',
});

function makeServerDatabase(name: string, table: string): void {
  dropDatabase(server, name);
  createDatabase(server, name);
  psql(
    server,
    name,
    `CREATE TABLE ${table} (id serial PRIMARY KEY, what text); INSERT INTO ${table} (what) VALUES ('one'), ('two')`,
  );
}

/** The data each example speaks of; what to lose and how to see that it is back. */
const EXAMPLES: Readonly<Record<string, Example>> = {
  'sqlite-app': {
    seed: (root) => {
      makeDatabase(join(root, 'data/app.db'), 'events');
      makeFiles(root, { 'data/uploads/a/photo.jpg': 'jpeg', 'data/uploads/b.tmp': 'left out' });
    },
    lose: ['data/app.db', 'data/uploads'],
    restore: ['app@latest'],
  },
  command: {
    seed: (root) => {
      const git = (...args: readonly string[]): void =>
        void execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.com', ...args], { stdio: 'pipe' });
      git('init', '-q', join(root, 'work'));
      for (const message of ['one', 'two'])
        git('-C', join(root, 'work'), 'commit', '-q', '--allow-empty', '-m', message);
      git('clone', '-q', '--mirror', join(root, 'work'), join(root, 'data/site.git'));
    },
    lose: ['data/site.git'],
    restore: ['site@latest'],
    compare: (root) =>
      execFileSync('git', ['-C', join(root, 'data/site.git'), 'log', '--all', '--format=%H %s'], { encoding: 'utf8' }),
  },
  files: {
    seed: (root) =>
      makeFiles(root, { 'etc/web/site.conf': 'listen 80', 'etc/web/x.log': 'left out', 'etc/tls/key.pem': 'PEM' }),
    lose: ['etc/web', 'etc/tls'],
    restore: ['config@latest'],
  },
  teams: {
    seed: (root) => {
      makeDatabase(join(root, 'data/shop/shop.db'), 'orders');
      makeDatabase(join(root, 'data/wiki/wiki.db'), 'pages');
      makeFiles(root, { 'data/shop/images/1.png': 'png' });
    },
    lose: ['data/shop/shop.db', 'data/shop/images', 'data/wiki/wiki.db'],
    restore: ['shop@latest', 'wiki@latest'],
  },
  postgres: {
    seed: () => makeServerDatabase('kong', 'services'),
    lose: [],
    restore: ['kong@latest'],
    databases: { kong: 'SELECT * FROM services ORDER BY id' },
    env: reaching('KONG_PG'),
  },
  mysql: {
    seed: () => {
      dropMysqlDatabase(mysqlServer, 'shop');
      createMysqlDatabase(mysqlServer, 'shop');
      mysqlClient(
        mysqlServer,
        'shop',
        `CREATE TABLE orders (id int PRIMARY KEY, what text); INSERT INTO orders VALUES (1, 'one'), (2, 'two')`,
      );
    },
    lose: [],
    restore: ['shop@latest'],
    mysqlDatabases: { shop: 'SELECT * FROM orders ORDER BY id' },
    env: reaching('SHOP_DB', mysqlServer),
  },
  mixed: {
    seed: (root) => {
      makeServerDatabase('tracker', 'issues');
      makeDatabase(join(root, 'data/queue.db'), 'jobs');
      makeFiles(root, { 'data/uploads/screenshot.png': 'png' });
    },
    lose: ['data/queue.db', 'data/uploads'],
    restore: ['tracker@latest'],
    databases: { tracker: 'SELECT * FROM issues ORDER BY id' },
    env: reaching('TRACKER_PG'),
  },
};

const contents = (root: string, folders: readonly string[]): readonly string[] =>
  folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(
        (entry) =>
          `${join(entry.parentPath, entry.name)} ${readFileSync(join(entry.parentPath, entry.name), 'latin1').length}`,
      ),
  );

describe('examples', () => {
  it('has a test for every example', () => {
    // Those of other servers are in examples-elasticsearch.test.ts, examples-mongodb.test.ts and so on.
    const elsewhere = ['buckets', 'elasticsearch', 'mongodb', 'offsite', 'redis'];
    expect(readdirSync(join(ROOT, 'examples')).toSorted()).toEqual([...Object.keys(EXAMPLES), ...elsewhere].toSorted());
  });

  it.each(Object.entries(EXAMPLES))(
    '%s is validated, planned, applied and restored',
    (name, { seed, lose, restore, databases = {}, mysqlDatabases = {}, env = {}, compare }) => {
      const root = join(parent, name);
      cpSync(join(ROOT, 'examples', name), root, { recursive: true });
      seed(root);
      const bkp = (...args: readonly string[]): string =>
        execFileSync('node', [join(ROOT, 'src/bkp.cjs'), ...args], {
          cwd: root,
          encoding: 'utf8',
          stdio: ['ignore', 'pipe', 'pipe'],
          env: { ...process.env, ...env, XDG_CACHE_HOME: join(root, '.cache') },
        });
      expect(bkp('validate')).toContain('valid bkp.yaml');
      expect(bkp('plan', '--init-repositories')).toContain('first-snapshot');
      bkp('apply', '--yes', '--init-repositories');
      expect(bkp('plan')).toContain('No changes.');
      const folders = [...new Set(lose.map((path) => path.split('/')[0] ?? ''))];
      const look = (): unknown => compare?.(root) ?? contents(root, folders);
      const before = compare?.(root) ?? contents(root, folders).filter((line) => !/\.(?:tmp|log) /.test(line));
      const rows = (): readonly string[] => [
        ...Object.entries(databases).map(([name, sql]) => psql(server, name, sql)),
        ...Object.entries(mysqlDatabases).map(([name, sql]) => mysqlClient(mysqlServer, name, sql)),
      ];
      const rowsBefore = rows();
      for (const path of lose) rmSync(join(root, path), { recursive: true });
      for (const database of Object.keys(databases)) dropDatabase(server, database);
      for (const database of Object.keys(mysqlDatabases)) dropMysqlDatabase(mysqlServer, database);
      for (const snapshot of restore) bkp('restore', snapshot, '--yes');
      expect(look()).toEqual(before);
      expect(rows()).toEqual(rowsBefore);
      expect(bkp('verify', '--deep')).not.toContain('DAMAGED');
    },
  );
});
