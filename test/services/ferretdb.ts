import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { installDebianRoot } from './debian-root.ts';
import { freePort } from './free-port.ts';
import { buildGoProgram } from './go-program.ts';
import { installMongoTool } from './mongo-tools.ts';
import { type Home, initializeCluster, makeHome, startCluster } from './postgres.ts';
import { type ServerProcess, startServer } from './server-process.ts';
import type { RunningService, Service } from './service.ts';

const run = promisify(execFile);
const VERSION = '2.7.0';
const MODULE = 'github.com/FerretDB/FerretDB/v2';
const PACKAGES = ['postgresql-18', 'postgresql-18-documentdb'];
const PORT_ATTEMPTS = 5;

/** It does not start unless a file in its source says which version it is. */
const buildFerret = (folder: string): Promise<string> =>
  buildGoProgram('ferretdb', folder, async (go) => {
    const module = join(go.into, 'module');
    mkdirSync(module);
    writeFileSync(join(module, 'go.mod'), `module server\n\ngo 1.25\n\nrequire ${MODULE} v${VERSION}\n`);
    const original = await go.run(['list', '-mod=mod', '-m', '-f', '{{.Dir}}', MODULE], module);
    const source = join(go.into, 'source');
    cpSync(original, source, { recursive: true });
    await run('chmod', ['-R', 'u+w', source]);
    writeFileSync(join(source, 'build/version/version.txt'), `v${VERSION}\n`);
    await go.run(['build', '-ldflags=-s -w', '-o', join(go.into, 'ferretdb'), './cmd/ferretdb'], source);
  });

/** Runs at the same time may make the same one. */
function link(target: string, path: string): void {
  try {
    symlinkSync(target, path);
  } catch (error) {
    if (!existsSync(path)) throw error;
  }
}

/** Debian makes these names, and finds these libraries, by what packages do when they are installed. */
function completeRoot(root: string): void {
  const extensions = join(root, 'usr/share/postgresql/18/extension');
  for (const name of readdirSync(extensions).filter((one) => /^postgis.*-3\.control$/.test(one)))
    link(name, join(extensions, name.replace(/-3\.control$/, '.control')));
  const libraries = join(root, 'usr/lib/x86_64-linux-gnu');
  for (const folder of ['blas', 'lapack'].filter((one) => existsSync(join(libraries, one))))
    for (const name of readdirSync(join(libraries, folder))) link(join(folder, name), join(libraries, name));
}

async function install(folder: string): Promise<void> {
  completeRoot(await installDebianRoot('sid', PACKAGES, folder));
  for (const tool of ['mongodump', 'mongorestore'] as const) await installMongoTool(tool, folder);
  await buildFerret(folder);
}

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });

/** Starts one more FerretDB on the PostgreSQL of `url`; `extra` are arguments for it. */
export async function startFerret(
  program: string,
  url: string,
  home: Pick<Home, 'folder' | 'env' | 'log'>,
  extra: (port: number) => readonly string[] = (port) => [`--listen-addr=127.0.0.1:${port}`],
): Promise<ServerProcess & { readonly port: number }> {
  for (let attempt = 0; attempt < PORT_ATTEMPTS; attempt++) {
    const port = await freePort();
    const argv = [
      program,
      `--postgresql-url=${url}`,
      `--state-dir=${home.folder}`,
      ...extra(port),
      '--debug-addr=-',
      '--telemetry=disable',
      '--log-level=ERROR',
    ];
    const server = startServer(argv, { env: home.env, log: home.log, stopSignal: 'SIGTERM' });
    while (server.isRunning()) {
      if (await accepts(port)) return { ...server, port };
      await sleep(20);
    }
  }
  throw new Error(`cannot start FerretDB:\n${readFileSync(home.log, 'utf8').trim().split('\n').slice(-12).join('\n')}`);
}

async function start(folder: string, workDir: string): Promise<RunningService> {
  const bin = join(folder, 'sid/usr/lib/postgresql/18/bin');
  const home = makeHome('ferretdb', workDir);
  const password = randomBytes(12).toString('hex');
  await initializeCluster(bin, home, password);
  const preloaded = 'pg_cron,pg_documentdb_core,pg_documentdb';
  appendFileSync(
    join(home.data, 'postgresql.conf'),
    `shared_preload_libraries = '${preloaded}'\ncron.database_name = 'postgres'\n`,
  );
  // It connects to itself without a password; FerretDB asks its own clients for theirs.
  writeFileSync(join(home.data, 'pg_hba.conf'), 'local all all trust\nhost all all 127.0.0.1/32 trust\n');
  const postgres = await startCluster(home, { bin, version: '18', password });
  const { port: postgresPort = '', user = '' } = postgres.connection;
  const url = `postgres://${user}:${password}@127.0.0.1:${postgresPort}/postgres`;
  await run(join(bin, 'psql'), ['-X', '-q', '-c', 'CREATE EXTENSION documentdb CASCADE', url]);
  const ferret = await startFerret(join(folder, 'ferretdb'), url, home);
  return {
    connection: {
      host: '127.0.0.1',
      port: `${ferret.port}`,
      user,
      password,
      tools: folder,
      postgres: url,
      pid: `${ferret.pid}`,
    },
    stop: async () => {
      await ferret.stop();
      await postgres.stop();
    },
  };
}

/** What stands in for a MongoDB server: it speaks the protocol and keeps the documents in PostgreSQL. */
export const ferretdb: Service = {
  name: 'ferretdb',
  version: VERSION,
  kind: 'mongodb',
  set: 'default',
  install,
  start,
};
