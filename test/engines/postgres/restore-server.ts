import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { PostgresTarget } from '../../../src/engines/postgres/server/connection.ts';
import { connectionOf } from '../../services/connection.ts';

/** The server of the run as the tests of one file see it: only databases whose name begins with a prefix. */
export interface TestServer {
  readonly target: (database: string, user?: string) => PostgresTarget;
  /** Runs SQL as superuser, in one of the file's databases or in `postgres`; rows as lines, columns divided by `|`. */
  readonly sql: (database: string, sql: string) => Promise<string>;
  /** Names without the prefix. */
  readonly databases: () => Promise<readonly string[]>;
  readonly dropAll: () => Promise<void>;
  readonly nameOf: (database: string) => string;
}

export function useServer(prefix: string): TestServer {
  const nameOf = (database: string): string => (database === 'postgres' ? database : prefix + database);
  const sql = async (database: string, text: string): Promise<string> => {
    const { host, port, user, password, bin = '' } = connectionOf('postgres-15');
    const env = {
      PATH: process.env['PATH'],
      PGHOST: host,
      PGPORT: port,
      PGUSER: user,
      PGPASSWORD: password,
      PGDATABASE: nameOf(database),
      PGCLIENTENCODING: 'UTF8',
    };
    const args = ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1'];
    const running = promisify(execFile)(join(bin, 'psql'), args, { env, maxBuffer: 64 * 1024 * 1024 });
    running.child.stdin?.end(text);
    return (await running).stdout.trim();
  };
  const databases = async (): Promise<readonly string[]> =>
    (await sql('postgres', `SELECT datname FROM pg_database WHERE starts_with(datname, '${prefix}') ORDER BY 1`))
      .split('\n')
      .filter(Boolean)
      .map((name) => name.slice(prefix.length));
  return {
    nameOf,
    sql,
    databases,
    target: (database, user) => {
      const connection = connectionOf('postgres-15');
      return {
        type: 'postgres',
        host: connection['host'] ?? '',
        port: Number(connection['port']),
        user: user ?? connection['user'] ?? '',
        password: user === undefined ? (connection['password'] ?? '') : user,
        database: nameOf(database),
      };
    },
    dropAll: async () => {
      for (const name of await databases()) await sql('postgres', `DROP DATABASE "${nameOf(name)}" WITH (FORCE)`);
    },
  };
}
