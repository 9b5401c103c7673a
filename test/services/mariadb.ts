import { existsSync } from 'node:fs';
import { startMysql } from './mysql-server.ts';
import type { RunningService, Service } from './service.ts';

/** Starts a MariaDB with settings of its own. */
export const startMariadb = (workDir: string, settings: readonly string[] = []): Promise<RunningService> =>
  startMysql(
    {
      version: '10.11',
      family: 'mariadb',
      initialize: (data) => [
        'mariadb-install-db',
        '--no-defaults',
        `--datadir=${data}`,
        '--auth-root-authentication-method=normal',
        '--skip-test-db',
      ],
      serve: ['/usr/sbin/mariadbd', '--no-defaults', '--skip-log-bin', ...settings],
      bin: '/usr/bin',
    },
    workDir,
  );

/** Debian's MariaDB 10.11, which `npm test` installs. */
export const mariadb: Service = {
  name: 'mariadb',
  version: '10.11',
  kind: 'mysql',
  set: 'default',
  install: async () => {
    if (existsSync('/usr/sbin/mariadbd')) return;
    throw new Error('MariaDB is missing: run npm test as root, or install the package mariadb-server.');
  },
  start: (_folder, workDir) => startMariadb(workDir),
};
