import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { installDebianRoot } from './debian-root.ts';
import { giveToServer, type ServerProcess, startServer } from './server-process.ts';
import type { RunningService, Service } from './service.ts';

const PORT_ATTEMPTS = 20;
const PASSWORD = "pass word's $(id) %41";

/** A server of one test. */
export interface RedisServer {
  readonly port: number;
  readonly password: string;
  readonly folder: string;
  readonly log: string;
  readonly process: ServerProcess;
  readonly stop: () => Promise<void>;
}

/**
 * Starts a server on a free port with its data in a folder of its own, or in one that is there. Returns when it answers;
 * no promise, because fixtures make destinations in passing. In settings `{port}` stands for its port.
 */
export function startRedis(program: string, settings: readonly string[] = [], own?: string): RedisServer {
  const folder = own ?? mkdtempSync(join(tmpdir(), 'bkp-redis-'));
  giveToServer(folder);
  const log = join(folder, 'log');
  for (let attempt = 1; ; attempt += 1) {
    // One that is taken is seen in the log; asking for a free one beforehand says nothing about the moment after.
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    rmSync(log, { force: true });
    const argv = [
      program,
      ...['bind 127.0.0.1', `port ${port}`, 'repl-diskless-sync-delay 0', 'enable-debug-command yes'].flatMap(
        (setting) => `--${setting}`.split(' '),
      ),
      '--dir',
      folder,
      '--requirepass',
      PASSWORD,
      '--save',
      '',
      ...settings.map((setting) => setting.replace('{port}', String(port))),
    ];
    const process = startServer(argv, { env: {}, log, stopSignal: 'SIGTERM' });
    if (waitUntilReady(log)) {
      const stop = async (): Promise<void> => {
        await process.stop();
        if (own === undefined) rmSync(folder, { recursive: true, force: true });
      };
      return { port, password: PASSWORD, folder, log, process, stop };
    }
    if (attempt === PORT_ATTEMPTS) throw new Error(`cannot start ${program}:\n${readFileSync(log, 'utf8')}`);
  }
}

const ENDED = /Ready to accept connections|Address already in use|Fatal|FATAL|Bad directive|can't|Failed/;

function waitUntilReady(log: string): boolean {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (;;) {
    const text = existsSync(log) ? readFileSync(log, 'utf8') : '';
    const found = ENDED.exec(text)?.[0];
    if (found !== undefined) return found.startsWith('Ready');
    Atomics.wait(pause, 0, 0, 5);
  }
}

/** Starts nothing: every test has servers of its own, since one server is one target. */
const noServer = (connection: RunningService['connection']): RunningService => ({
  connection,
  stop: async () => undefined,
});

const findProgram = (name: string): string | undefined =>
  (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path));

/** Debian's Redis, which `npm test` installs. */
export const redis70: Service = {
  name: 'redis',
  version: '7.0',
  kind: 'redis',
  set: 'default',
  install: async () => {
    if (findProgram('redis-server') !== undefined) return;
    throw new Error('Redis is missing: run npm test as root, or install the package redis-server.');
  },
  start: async () => noServer({ program: findProgram('redis-server') ?? '' }),
};

/** Valkey of the next Debian. */
export const valkey81: Service = {
  name: 'redis-valkey',
  version: '8.1',
  kind: 'redis',
  set: 'all',
  install: async (folder) => void (await installDebianRoot('trixie', ['valkey-server', 'valkey-tools'], folder)),
  start: async (folder) => noServer({ program: join(folder, 'trixie/usr/bin/valkey-server') }),
};
