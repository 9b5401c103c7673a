import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Connection } from '../../services/connection.ts';

const OPTIONS = [
  '--skip-comments',
  '--skip-dump-date',
  '--routines',
  '--triggers',
  '--events',
  '--hex-blob',
  '--skip-extended-insert',
  '--no-tablespaces',
  '--default-character-set=utf8mb4',
];

/** All of a database as text: definitions and rows, without the counters that a server may let run ahead. */
export function describeDatabase(connection: Connection, database: string): string {
  const { host = '', port = '', user = '', password = '', bin = '', family = '' } = connection;
  const program = join(bin, family === 'mariadb' ? 'mariadb-dump' : 'mysqldump');
  const own = family === 'mariadb' ? [] : ['--set-gtid-purged=OFF', '--column-statistics=0'];
  const place = ['--protocol=tcp', `--host=${host}`, `--port=${port}`, `--user=${user}`];
  const argv = ['--no-defaults', ...place, ...OPTIONS, ...own, '--', database];
  const env = { PATH: process.env['PATH'], LC_ALL: 'C.UTF-8', MYSQL_PWD: password };
  const dump = execFileSync(program, argv, { env, encoding: 'utf8', maxBuffer: 2 ** 29, stdio: 'pipe' });
  return dump.replaceAll(/ AUTO_INCREMENT=\d+/g, '');
}

export const digestMysql = (connection: Connection, database: string): string =>
  createHash('sha256').update(describeDatabase(connection, database)).digest('hex');
