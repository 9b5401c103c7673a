import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Connection } from './connection.ts';
import { makeHome, startCluster } from './postgres.ts';
import { giveToServer } from './server-process.ts';
import type { RunningService } from './service.ts';

/** A server that follows another one and takes no writes, with its data below `workDir`. */
export async function startStandby(primary: Connection, workDir: string): Promise<RunningService> {
  const { bin = '', version = '', password = '', socket = '', port = '', user = '' } = primary;
  const home = makeHome(`postgres-${version}-standby`, workDir);
  const env = { ...home.env, PGHOST: socket, PGPORT: port, PGUSER: user, PGPASSWORD: password };
  const argv = ['--write-recovery-conf', '--checkpoint=fast', '--no-sync', '-D', home.data];
  execFileSync(join(bin, 'pg_basebackup'), argv, { env, stdio: 'pipe' });
  for (const name of ['', ...readdirSync(home.data, { recursive: true, encoding: 'utf8' })])
    giveToServer(join(home.data, name));
  // What receives from the primary is a library, which would take the system's libpq, of another version.
  const libraries = join(bin, '..', 'lib');
  return startCluster({ ...home, env: { ...home.env, LD_LIBRARY_PATH: libraries } }, { bin, version, password });
}
