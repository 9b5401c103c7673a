import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { onTestFinished } from 'vitest';
import type { TargetOf } from '../../src/engines/engine.ts';
import { mysql } from '../../src/engines/mysql.ts';
import { quoteText } from '../../src/engines/mysql/server/quote.ts';
import { type Connection, connectionOf, startedServices } from '../services/connection.ts';
import { createMysqlDatabase, dropMysqlDatabase, mysqlClient } from '../services/mysql-client.ts';
import type { EngineFixture } from './fixture.ts';
import { DEFINITIONS, rows, SCHEMA } from './mysql/conformance-schema.ts';
import { digestMysql } from './mysql/digest.ts';

type Target = TargetOf<'mysql'>;

const uniqueOf = (folder: string): string => createHash('sha256').update(folder).digest('hex').slice(0, 12);

/**
 * A name for a folder: databases of a test are told apart, and carry the odd characters of its folders. mariadb-dump of
 * 10.11 loses databases with events whose names have quotes, mydumper takes no backticks, and of MySQL nothing but ASCII;
 * both say so.
 */
const databaseFor = (folder: string, unfit: RegExp): string =>
  `${Array.from(basename(folder).replaceAll(unfit, ' ')).slice(0, 17).join('')} ${uniqueOf(folder)}`;

function unfitFor(service: string, method: Method): RegExp {
  if (method === 'dump') return /[\s'"]/g;
  return service.startsWith('mysql') ? /[\s'"`]|[^ -~]/g : /[\s'"`]/g;
}

/** The server of a target, found by its port: also in processes that know nothing but the target. */
function serverOf({ port }: Target): Connection {
  const found = [...startedServices('mariadb'), ...startedServices('mysql')]
    .map(connectionOf)
    .find((server) => server['port'] === String(port));
  if (found === undefined) throw new Error(`no server on port ${port}`);
  return found;
}

/** A target of the suite is one database. */
const nameOf = ({ database }: Target): string => database ?? '';

const ask = (target: Target, sql: string): string => mysqlClient(serverOf(target), nameOf(target), sql);
const administer = (target: Target, sql: string): string => mysqlClient(serverOf(target), null, sql);

const namesLike = (target: Target, pattern: string): readonly string[] =>
  administer(target, `SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME LIKE ${quoteText(pattern)}`)
    .split('\n')
    .filter(Boolean);

/** Everything that tests leave of a database, also what restores set aside. */
function dropAll(target: Target): void {
  for (const name of namesLike(target, `%${nameOf(target).slice(-12)}%`)) dropMysqlDatabase(serverOf(target), name);
}

/** Programs on PATH are Debian's: they are what a test can spoil, and of no use for MySQL. */
const OWN_TOOLS = 'mariadb-10.11';

type Method = NonNullable<Target['method']>;

/** What makes the bytes of an artifact. */
function producerOf(service: string, method: Method): EngineFixture<'mysql'>['producer'] {
  if (method === 'mydumper') return { tool: 'mydumper', word: ' --no-schemas ' };
  return service === OWN_TOOLS ? { tool: 'mariadb-dump', word: ' --hex-blob ' } : null;
}

/** mydumper takes no backticks in names. */
function contents(method: Method, bytes: number): string {
  const all = SCHEMA + DEFINITIONS + rows(bytes);
  return method === 'dump' ? all : all.replaceAll('``', '');
}

/** MySQL or MariaDB on one of the servers of the run. */
export const mysqlFixtureOn = (service: string, method: Method = 'dump'): EngineFixture<'mysql'> => ({
  name: method === 'dump' ? service : `${service} by ${method}`,
  engine: mysql,
  isPersistent: true,
  producer: producerOf(service, method),
  consumer: service === OWN_TOOLS ? { tool: 'mariadb', word: ' --binary-mode ' } : null,
  capturesByPath: method === 'mydumper',
  query: { sql: "SELECT count(*) FROM events WHERE level = 'error'", value: 50 },

  async make(folder, content) {
    const connection = connectionOf(service);
    const { host = '', port = '', password = '', bin = '' } = connection;
    const tools = service === OWN_TOOLS ? {} : { tools: bin };
    const database = databaseFor(folder, unfitFor(service, method));
    const user = `app ${uniqueOf(folder)}`;
    const target = { type: 'mysql', host, port: Number(port), user, password, database, method, ...tools } as const;
    createMysqlDatabase(connection, database);
    administer(
      target,
      `CREATE USER ${quoteText(user)}@'%' IDENTIFIED BY '${password}'; GRANT ALL ON *.* TO ${quoteText(user)}@'%'`,
    );
    onTestFinished(() => {
      dropAll(target);
      administer(target, `DROP USER ${quoteText(user)}@'%'`);
    });
    if (content !== 'empty') ask(target, contents(method, content === 'large' ? 100_000 : 256));
    return target;
  },

  elsewhere(target, folder) {
    const destination = { ...target, database: databaseFor(folder, unfitFor(service, method)) };
    onTestFinished(() => dropAll(destination));
    return destination;
  },

  digest: async (target) =>
    namesLike(target, '%').includes(nameOf(target)) ? digestMysql(serverOf(target), nameOf(target)) : 'absent',

  async alter(target) {
    ask(
      target,
      `DELETE FROM events WHERE id = 13; DELETE FROM issues WHERE title = 'other';
       INSERT IGNORE INTO projects VALUES (3, 'three')`,
    );
  },

  async partsOf(target) {
    const [taken, added] = ask(
      target,
      `SELECT (SELECT count(*) FROM events WHERE id = 13) + (SELECT count(*) FROM issues WHERE title = 'other') = 2,
        EXISTS (SELECT 1 FROM projects WHERE name = 'three')`,
    ).split('\t');
    return { taken: taken === '1', added: added === '1' };
  },

  destroy: async (target) => dropMysqlDatabase(serverOf(target), nameOf(target)),

  async forbid(target) {
    administer(target, `ALTER USER ${quoteText(target.user ?? '')}@'%' ACCOUNT LOCK`);
  },

  handEnvironment: ({ password = '', tools }) => ({
    MYSQL_PWD: password,
    ...(tools === undefined ? {} : { PATH: `${tools}:${process.env['PATH']}` }),
  }),

  // In a tar, the end of the files with rows.
  recordBoundary: (raw) => (method === 'dump' ? raw.lastIndexOf(';\n') + 2 : raw.indexOf('definitions.sql')),
});

export const mysqlFixture: EngineFixture<'mysql'> = mysqlFixtureOn(OWN_TOOLS);
