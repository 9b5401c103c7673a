import { spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { onTestFinished } from 'vitest';
import type { Context } from '../../../src/context.ts';
import type {
  IncomingArtifact,
  RestoreMode,
  RestoreOutcome,
  RestoreRequest,
  TargetOf,
} from '../../../src/engines/engine.ts';
import { mysql } from '../../../src/engines/mysql.ts';
import type { Repository } from '../../../src/repositories/repository.ts';
import { type Connection, connectionOf } from '../../services/connection.ts';
import { createMysqlDatabase, dropMysqlDatabase, mysqlClient } from '../../services/mysql-client.ts';
import { testContext } from '../../test-context.ts';
import { mysqlFixture } from '../mysql-fixture.ts';
import { incoming, newRepository, SNAPSHOT, take, type Taken } from '../workbench.ts';

type Target = TargetOf<'mysql'>;

/** A database of a test, and a place for what is captured of it. */
export interface OneDatabase {
  readonly context: Context;
  readonly repository: Repository;
  readonly connection: Connection;
  readonly target: Target & { readonly database: string };
  /** The same server under another name, which nobody has. */
  readonly elsewhere: Target & { readonly database: string };
  ask(sql: string, database?: string): string;
  /** A session of somebody else that runs a statement and keeps what it holds. */
  hold(sql: string): { readonly ready: Promise<void>; readonly release: () => void };
  take(overlay?: Partial<Target>): Promise<Taken>;
  restore(taken: Taken, mode: RestoreMode, more?: Partial<RestoreRequest<Target>>): Promise<RestoreOutcome>;
}

/** Makes a database with contents on a server of the run; it goes with the test, and so does all that is named after it. */
export async function oneDatabase(sql: string, service = 'mariadb-10.11'): Promise<OneDatabase> {
  const { context, folder } = await testContext();
  const repository = await newRepository(folder, context);
  const connection = connectionOf(service);
  const { host = '', port = '', user = '', password = '', bin = '', family = '' } = connection;
  const unique = createHash('sha256').update(randomUUID()).digest('hex').slice(0, 10);
  const tools = family === 'mariadb' ? {} : { tools: bin };
  const target = {
    type: 'mysql',
    host,
    port: Number(port),
    user,
    password,
    database: `shop_${unique}`,
    ...tools,
  } as const;
  const ask = (text: string, database: string = target.database): string => mysqlClient(connection, database, text);
  createMysqlDatabase(connection, target.database);
  onTestFinished(() => {
    const like = `SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME LIKE '%${unique}%'`;
    for (const name of mysqlClient(connection, null, like).split('\n').filter(Boolean))
      dropMysqlDatabase(connection, name);
    const users = mysqlClient(connection, null, `SELECT User, Host FROM mysql.user WHERE User LIKE '%${unique}%'`);
    for (const line of users.split('\n').filter(Boolean))
      mysqlClient(
        connection,
        null,
        `DROP USER IF EXISTS ${line
          .split('\t')
          .map((part) => `'${part}'`)
          .join('@')}`,
      );
  });
  if (sql !== '') ask(sql);
  return {
    context,
    repository,
    connection,
    target,
    elsewhere: { ...target, database: `other_${unique}` },
    ask,
    hold: (text) => holdSession(connection, target.database, text),
    take: (overlay = {}) => take(mysqlFixture, { ...target, ...overlay }, repository, context),
    restore: (taken, mode, more = {}) =>
      mysql.restore(
        { ...requestOf(target, mode), artifacts: incoming(taken, context), expectedFacts: taken.facts, ...more },
        context,
      ),
  };
}

function holdSession(
  { host = '', port = '', user = '', password = '', bin = '', family = '' }: Connection,
  database: string,
  sql: string,
): ReturnType<OneDatabase['hold']> {
  const program = join(bin, family === 'mariadb' ? 'mariadb' : 'mysql');
  const argv = [
    '--no-defaults',
    '--protocol=tcp',
    `--host=${host}`,
    `--port=${port}`,
    `--user=${user}`,
    '--unbuffered',
    '-N',
  ];
  const env = { PATH: process.env['PATH'], MYSQL_PWD: password };
  const child = spawn(program, [...argv, `--database=${database}`], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  const release = (): void => void child.kill('SIGKILL');
  onTestFinished(release);
  child.stdin.write(`${sql};\nSELECT 'held';\n`);
  return { ready: once(child.stdout, 'data').then(() => undefined), release };
}

/** A restore of nothing in particular. */
export const requestOf = (destination: Target, mode: RestoreMode): RestoreRequest<Target> => ({
  destination,
  mode,
  artifacts: [],
  paths: [],
  skipConflicts: false,
  noOwner: false,
  expectedFacts: null,
  snapshot: SNAPSHOT,
});

/** A dump that somebody wrote by hand. */
export const dumpOf = (text: string): IncomingArtifact => ({
  name: '',
  format: 'mysql-dump',
  rawBytes: null,
  into: async (sink) => {
    if (sink.kind !== 'reader') throw new Error('a dump is read');
    await sink.read(Readable.from([Buffer.from(text)]));
  },
});

export const END = '-- Dump completed on 2026-11-21 18:27:50\n';
