import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { Connection } from './connection.ts';

const quoted = (name: string): string => `\`${name.replaceAll('`', '``')}\``;

/**
 * What statements print, one row to a line, its values separated by tabs, by the client that came with the server; throws
 * what it said at the first error.
 */
export function mysqlClient(connection: Connection, database: string | null, sql: string): string {
  const { host = '', port = '', user = '', password = '', bin = '', family = '' } = connection;
  const program = join(bin, family === 'mariadb' ? 'mariadb' : 'mysql');
  const place = ['--protocol=tcp', `--host=${host}`, `--port=${port}`, `--user=${user}`];
  const argv = [
    '--no-defaults',
    ...place,
    '--batch',
    '--skip-column-names',
    '--comments',
    '--default-character-set=utf8mb4',
  ];
  const into = database === null ? [] : [`--database=${database}`];
  const env = { PATH: process.env['PATH'], LC_ALL: 'C.UTF-8', MYSQL_PWD: password };
  const options = { input: sql, encoding: 'utf8', env, maxBuffer: 2 ** 28, stdio: 'pipe' } as const;
  return execFileSync(program, [...argv, ...into], options).replace(/\n$/, '');
}

export function createMysqlDatabase(connection: Connection, name: string): void {
  mysqlClient(connection, null, `CREATE DATABASE ${quoted(name)} CHARACTER SET utf8mb4`);
}

/** None is no error, and neither are keys of others into it. */
export function dropMysqlDatabase(connection: Connection, name: string): void {
  mysqlClient(connection, null, `SET foreign_key_checks = 0; DROP DATABASE IF EXISTS ${quoted(name)}`);
}
