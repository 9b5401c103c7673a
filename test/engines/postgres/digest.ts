import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join } from 'node:path';

/**
 * Equal for databases that hold the same: schema, rows in any order, sequences, large objects, grants, comments. Made of
 * the server's own dump, with its lines sorted.
 */
export function digestDatabase(connection: Readonly<Record<string, string>>, database: string): string {
  const { bin = '', host = '', port = '', user = '', password = '' } = connection;
  const env = {
    PGHOST: host,
    PGPORT: port,
    PGUSER: user,
    PGPASSWORD: password,
    PGDATABASE: database,
    LC_ALL: 'C.UTF-8',
  };
  const script = execFileSync(join(bin, 'pg_dump'), ['--no-password', '--format=plain'], {
    env,
    encoding: 'latin1',
    maxBuffer: 1024 * 1024 * 1024,
  });
  const lines = script.split('\n').filter((line) => !/^(?:--|\\(?:un)?restrict )/.test(line));
  return createHash('sha256').update(lines.toSorted().join('\n')).digest('hex');
}
