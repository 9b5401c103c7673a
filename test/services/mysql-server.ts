import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.ts';
import { giveToServer, type ServerProcess, startServer } from './server-process.ts';
import type { RunningService } from './service.ts';

/** Who tests connect as: may do everything, from everywhere. */
const USER = 'tester';
const PORT_ATTEMPTS = 5;

/** A server of either family that was unpacked somewhere. */
export interface MysqlPrograms {
  readonly version: string;
  readonly family: 'mysql' | 'mariadb';
  /** Makes the data folder. */
  readonly initialize: (data: string) => readonly string[];
  /** The server with what it needs to find its own files. */
  readonly serve: readonly string[];
  /** Folder with the client programs. */
  readonly bin: string;
}

const SETTINGS = [
  '--bind-address=127.0.0.1',
  '--innodb-flush-log-at-trx-commit=0',
  '--innodb-doublewrite=0',
  '--event-scheduler=OFF',
  '--max-allowed-packet=1G',
  '--performance-schema=OFF',
  '--character-set-server=utf8mb4',
  '--collation-server=utf8mb4_general_ci',
];

/** Makes a data folder below `workDir` and starts a server on it. */
export async function startMysql(programs: MysqlPrograms, workDir: string): Promise<RunningService> {
  const { version, family, bin } = programs;
  const folder = join(workDir, `${family}-${version}`);
  mkdirSync(folder, { mode: 0o755 });
  giveToServer(folder);
  const [data, log, init] = [join(folder, 'data'), join(folder, 'server.log'), join(folder, 'init.sql')];
  const env = { PATH: process.env['PATH'] ?? '', HOME: folder, LC_ALL: 'C.UTF-8', TMPDIR: folder };
  const failure = (what: string): Error =>
    new Error(
      `cannot ${what} ${family} ${version}:\n${readFileSync(log, 'utf8').trim().split('\n').slice(-12).join('\n')}`,
    );
  const made = startServer(programs.initialize(data), { env, log, stopSignal: 'SIGTERM' });
  if ((await made.ended) !== 0) throw failure('initialize');
  const password = randomBytes(12).toString('hex');
  writeFileSync(
    init,
    `CREATE USER ${USER}@'%' IDENTIFIED BY '${password}';\nGRANT ALL ON *.* TO ${USER}@'%' WITH GRANT OPTION;\n`,
  );
  const socket = join(folder, 'm.sock');
  // A free port may be taken by others until it is used.
  for (let attempt = 0; attempt < PORT_ATTEMPTS; attempt++) {
    const port = await freePort();
    const places = [`--datadir=${data}`, `--port=${port}`, `--socket=${socket}`, `--pid-file=${join(folder, 'pid')}`];
    const argv = [...programs.serve, ...places, ...SETTINGS, `--init-file=${init}`];
    const server = startServer(argv, { env, log, stopSignal: 'SIGTERM' });
    if (!(await isReady(server, log))) continue;
    const connection = { host: '127.0.0.1', port: `${port}`, user: USER, password, bin, version, family, socket };
    return { connection: { ...connection, pid: `${server.pid}` }, stop: server.stop };
  }
  throw failure('start');
}

/** The init file was run once the server listens. */
async function isReady(server: ServerProcess, log: string): Promise<boolean> {
  while (server.isRunning()) {
    if (existsSync(log) && /ready for connections/.test(readFileSync(log, 'utf8'))) return true;
    await sleep(50);
  }
  return false;
}
