import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { Connection } from './connection.ts';

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/**
 * What statements print, one row to a line, its values separated by `|`, by the psql that came with the server; throws
 * what psql said at the first error.
 */
export function psql(connection: Connection, database: string, sql: string): string {
  const { host = '', port = '', user = '', password = '', bin = '' } = connection;
  const argv = ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-f', '-'];
  const env = {
    PATH: process.env['PATH'],
    LC_ALL: 'C.UTF-8',
    PGHOST: host,
    PGPORT: port,
    PGUSER: user,
    PGPASSWORD: password,
    PGDATABASE: database,
  };
  const options = { input: sql, encoding: 'utf8', env, maxBuffer: 2 ** 28, stdio: 'pipe' } as const;
  return execFileSync(join(bin, 'psql'), argv, options).replace(/\n$/, '');
}

/** Makes an empty database with nothing in it but what PostgreSQL brings. */
export function createDatabase(connection: Connection, name: string): void {
  psql(connection, 'postgres', `CREATE DATABASE ${quoted(name)} TEMPLATE template0`);
}

/** Takes a database away, also from clients that are connected; none is no error. */
export function dropDatabase(connection: Connection, name: string): void {
  psql(connection, 'postgres', `DROP DATABASE IF EXISTS ${quoted(name)} WITH (FORCE)`);
}
